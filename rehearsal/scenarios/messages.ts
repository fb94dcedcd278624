import type { Acting } from '../people.ts';
import type { WaitingFor } from '../../workflows/view.ts';

/** Sends a message that is made from what the run asks. */
export function message(
  name: string,
  make: (waiting: WaitingFor) => Record<string, unknown>,
): (acting: Acting) => Promise<void> {
  return async ({ handle, status }) => {
    if (status.waitingFor === null) throw new Error(`the run waits for nothing, so there is nothing to ${name}`);
    await handle.signal(name, make(status.waitingFor));
  };
}

/** Decides about what is parked. */
export function resolve(action: string): (acting: Acting) => Promise<void> {
  return message('resolve', ({ message: asked, from }) => ({
    ...asked,
    by: from.at(-1),
    action,
    reason: `the rehearsal wants to see ${action}`,
  }));
}

/** Pulls the kill switch as somebody who may. */
export async function pullKillSwitch({ handle, status }: Acting): Promise<void> {
  await handle.signal('killSwitch', { by: status.mayRollBack[0], reason: 'the rehearsal wants to see the way back' });
}
