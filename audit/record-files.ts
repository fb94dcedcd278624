import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { AuditError } from './audit-error.ts';
import { buildRecord, recordText } from './build.ts';
import { historyText, type RunHistory } from './history.ts';
import { renderHtml } from './html.ts';
import { renderMarkdown } from './markdown.ts';
import type { AuditRecord } from './record-schema.ts';

/** The files of a record that its manifest lists. */
export const listed = ['history.json', 'record.html', 'record.json', 'record.md'] as const;
/** The signature is of the manifest, and so of every file. */
export const signatureFile = 'SHA256SUMS.sig';
const all = [...listed, 'SHA256SUMS', signatureFile] as const;

/** The texts of a record's folder; what is not there is undefined. */
export type RecordFiles = Readonly<Partial<Record<(typeof listed)[number] | 'SHA256SUMS', string>>>;

/** `SHA256SUMS`, as `sha256sum --check` reads it. */
export function manifestOf(files: RecordFiles): string {
  return listed
    .map(
      (name) =>
        `${createHash('sha256')
          .update(files[name] ?? '')
          .digest('hex')}  ${name}\n`,
    )
    .join('');
}

/** Everything that is written for a chain of runs. */
export function recordOf(
  runs: readonly RunHistory[],
  workflowId?: string,
): { record: AuditRecord; files: Required<RecordFiles> } {
  const record = buildRecord(runs, { workflowId });
  const files = {
    'history.json': historyText(runs),
    'record.json': recordText(record),
    'record.md': renderMarkdown(record),
    'record.html': renderHtml(record),
  };
  return { record, files: { ...files, SHA256SUMS: manifestOf(files) } };
}

/**
 * Writes a record's folder at once: a reader finds the old one or the new one, never a part.
 *
 * @param sign answers the signature of the manifest in a folder, where there is to be one
 * @throws AuditError where the folder holds something that is no record
 */
export async function writeFolder(
  folder: string,
  files: Required<RecordFiles>,
  sign?: (manifest: string) => Promise<Uint8Array>,
): Promise<void> {
  const target = path.resolve(folder);
  const strangers = (await namesIn(target)).filter((name) => !(all as readonly string[]).includes(name));
  if (strangers.length > 0) {
    throw new AuditError(
      `${folder} holds ${strangers.slice(0, 3).join(', ')}, which is no part of a record. Give a folder that is empty, new, or a record's.`,
    );
  }
  await mkdir(path.dirname(target), { recursive: true });
  // Beside it, so that a rename stays on one file system.
  const fresh = `${target}.${randomUUID()}.new`;
  const old = `${target}.${randomUUID()}.old`;
  try {
    await mkdir(fresh);
    for (const [name, text] of Object.entries(files)) await writeFile(path.join(fresh, name), text);
    if (sign !== undefined) await writeFile(path.join(fresh, signatureFile), await sign(files.SHA256SUMS));
    const moved = await rename(target, old).then(
      () => true,
      () => false,
    );
    await rename(fresh, target).catch(async (error: unknown) => {
      if (moved) await rename(old, target);
      throw error;
    });
  } finally {
    await rm(fresh, { recursive: true, force: true });
    await rm(old, { recursive: true, force: true });
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    throw new AuditError(`${folder} cannot be read (${code ?? 'unknown'}). Give the path of a folder.`);
  }
}

/**
 * The texts of a record's folder.
 *
 * @throws AuditError where there is no such folder
 */
export async function readFolder(folder: string): Promise<RecordFiles & { signature: Buffer | undefined }> {
  const names = await namesIn(folder);
  if (!names.includes('record.json') && !names.includes('history.json')) {
    throw new AuditError(
      `${folder} is no record: it has neither record.json nor history.json. Give the folder that \`npm run audit\` wrote.`,
    );
  }
  const text = async (name: string): Promise<[string, string | undefined]> => [
    name,
    names.includes(name) ? await readFile(path.join(folder, name), 'utf8') : undefined,
  ];
  const files = Object.fromEntries(await Promise.all([...listed, 'SHA256SUMS'].map(text))) as RecordFiles;
  const signature = names.includes(signatureFile) ? await readFile(path.join(folder, signatureFile)) : undefined;
  return { ...files, signature };
}
