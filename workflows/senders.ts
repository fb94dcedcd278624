import type { KnownSender, Sender } from './messages.ts';
import { identifySender } from './proxies.ts';
import type { Counted, Run } from './run.ts';
import { allows } from './transition.ts';

/** Who sent what: asked of the history, where the server has written it down. */
export interface Senders {
  /** Asks about a decision that has counted, beside whatever the run does next, and enters the answer in the journal. */
  note(run: Run, counted: Counted): void;
  /** Resolves when nothing is being asked any more: a history that has ended, or was continued, cannot be asked. */
  settled(): Promise<void>;
}

export function createSenders(): Senders {
  const asking = new Set<Promise<void>>();
  return {
    note(run, { message, by, sender }) {
      const asked = knownSender(sender).then((known) => {
        asking.delete(asked);
        if (allows(run.state, 'identified')) run.apply({ type: 'identified', message, by, ...known });
      });
      asking.add(asked);
    },
    async settled() {
      while (asking.size > 0) await Promise.all(asking);
    },
  };
}

/** Before they are taken out, where only verified senders may decide: the waiting messages with who sent them. */
export async function identifyWaiting(run: Run): Promise<void> {
  if (run.state.target?.policy.requireVerifiedIdentity !== true) return;
  for (let index = 0; index < run.inbox.length; index++) {
    const message = run.inbox[index];
    if (message === undefined || !('sender' in message) || message.known !== undefined) continue;
    const known = await knownSender(message.sender);
    const now = run.inbox.indexOf(message);
    if (now >= 0) run.inbox[now] = { ...message, known };
  }
}

/** A failure to look is no reason to hold up a run: then it is not known, and does not count as verified. */
function knownSender(sender: Sender): Promise<KnownSender> {
  return identifySender(sender).catch(() => ({ identity: 'unknown: the history could not be read', principal: null }));
}
