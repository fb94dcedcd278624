import { createHash } from 'node:crypto';

/** One file that a pull request touches. */
export interface PullFile {
  readonly filename: string;
  readonly status: 'added' | 'modified' | 'renamed' | 'removed';
  readonly previousFilename?: string;
  /** What the file holds: an added one then shows it as a patch. */
  readonly content?: string;
}

/** A file as the lists of pull requests and of comparisons show it. */
export function describeFile(file: PullFile, fullName: string, commit: string, base: string): Record<string, unknown> {
  const path = `${fullName}/blob/${commit}/${file.filename}`;
  return {
    sha: digest(path),
    filename: file.filename,
    status: file.status,
    additions: additionsOf(file),
    deletions: file.status === 'removed' ? 1 : 0,
    changes: additionsOf(file) + (file.status === 'removed' ? 1 : 0),
    blob_url: `${base}/${path}`,
    contents_url: `${base}/repos/${fullName}/contents/${file.filename}?ref=${commit}`,
    ...(file.previousFilename === undefined ? {} : { previous_filename: file.previousFilename }),
    ...(file.status === 'added' && file.content !== undefined ? { patch: patchOf(file.content) } : {}),
  };
}

function linesOf(content: string): string[] {
  return content === '' ? [] : content.replace(/\n$/, '').split('\n');
}

/** How many lines the file gains; 1 where nothing is known of its content. A pure move gains none. */
export function additionsOf({ status, content }: PullFile): number {
  if (status === 'removed' || status === 'renamed') return 0;
  return content === undefined ? 1 : linesOf(content).length;
}

/** A unified diff of one hunk, without the lines that name the file. [docs] REST, list pull requests files */
function patchOf(content: string): string {
  const lines = linesOf(content);
  const end = content.endsWith('\n') ? [] : ['\\ No newline at end of file'];
  const range = lines.length === 1 ? '1' : `1,${lines.length}`;
  return [`@@ -0,0 +${range} @@`, ...lines.map((line) => `+${line}`), ...end].join('\n');
}

export function digest(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}
