import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { buildWorkflowBundle } from '../../worker/bundle.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));

/** A piece of a file in `workflows/`, and what somebody puts in its place. */
export interface Edit {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/**
 * The workflow code in one file, from a copy of `workflows/` in which pieces were replaced.
 *
 * @throws Error where a piece does not stand in its file exactly once: then nothing would have been changed, or too much
 */
export async function bundleChanged(edits: readonly Edit[]): Promise<WorkflowBundleWithSourceMap> {
  const dir = await mkdtemp(join(tmpdir(), 'cutover-changed-'));
  try {
    const workflows = join(dir, 'workflows');
    await cp(join(project, 'workflows'), workflows, { recursive: true });
    await symlink(join(project, 'node_modules'), join(dir, 'node_modules'), 'dir');
    for (const { file, from, to } of edits) {
      const parts = (await readFile(join(workflows, file), 'utf8')).split(from);
      if (parts.length !== 2)
        throw new Error(`workflows/${file} has this ${parts.length - 1} times, not once: ${from}`);
      await writeFile(join(workflows, file), parts.join(to));
    }
    return await buildWorkflowBundle(new DefaultLogger('WARN'), false, workflows);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/**
 * Two pieces that follow one another in a file, taken in the other order.
 *
 * @param between what stands between them
 */
export function swapped(file: string, first: string, second: string, between = '\n    '): Edit {
  return { file, from: first + between + second, to: second + between + first };
}
