import type { WorkflowHandle } from '@temporalio/client';
import type { Status } from '../../workflows/view.ts';
import { createStory } from './story.ts';
import type { Terminal } from './terminal.ts';
import { watch } from './watch.ts';

/**
 * Tells a run until it is closed, or until there is nothing more to see in it.
 *
 * @param react does what a status asks for, once it is told; answers whether that was enough
 * @returns the last status, or undefined where there was none
 * @throws the signal's reason when it is aborted
 */
export async function follow(
  handle: WorkflowHandle,
  alive: AbortSignal,
  terminal: Terminal,
  react: (status: Status) => boolean | Promise<boolean>,
): Promise<Status | undefined> {
  const story = createStory(terminal);
  let last: Status | undefined;
  for await (const status of watch(handle, alive)) {
    last = status;
    story.tell(status);
    if (await react(status)) break;
  }
  return last;
}
