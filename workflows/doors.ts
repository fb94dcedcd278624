import {
  ApplicationFailure,
  currentUpdateInfo,
  defineSignal,
  defineUpdate,
  setDefaultSignalHandler,
  setHandler,
} from '@temporalio/workflow';
import { refusalOf } from './decide.ts';
import { messageNames, messages, type Message, type MessageName, type Receipt } from './messages.ts';
import { countRefused } from './metrics.ts';
import type { Run } from './run.ts';

/**
 * The two doors by which a message comes in: a signal and an update of the same name. Both only put it into the inbox.
 * A signal is kept by the server even while no worker is up, and its sender hears nothing; an update needs a worker, and
 * its validator tells the sender at once what is wrong with it. What an update was refused leaves no trace in the
 * history, a signal that cannot count is recorded [ran: server 1.29.1].
 */
export function openDoors(run: Run): void {
  for (const name of messageNames) {
    const { description } = messages[name];
    let signals = 0;
    setHandler(
      defineSignal<[unknown]>(name),
      (payload) => {
        signals += 1;
        run.inbox.push({ name, payload, sender: { door: 'signal', name, ordinal: signals } });
      },
      { description },
    );
    setHandler(
      defineUpdate<Receipt, [unknown]>(name),
      (payload) => {
        run.inbox.push(fromUpdate(name, payload));
        return {
          received: name,
          note: 'Received. Whether it counted shows in the status, as soon as the run has taken it in.',
        };
      },
      {
        description,
        validator: (payload) => {
          const why = refusalOf(run.state, fromUpdate(name, payload), Date.now());
          if (why === undefined) return;
          countRefused(name, 'update');
          throw refused(name, why);
        },
      },
    );
  }
  setDefaultSignalHandler((signal, payload) => void run.inbox.push({ name: 'unknown', signal, payload }));
}

/** A sentence for whoever sent the message. The Web UI would show a stack beside it, which says nothing to people. */
function refused(name: MessageName, why: string): ApplicationFailure {
  const failure = ApplicationFailure.nonRetryable(`${name} was refused: ${why}`, 'MessageRefused');
  failure.stack = '';
  return failure;
}

function fromUpdate(name: MessageName, payload: unknown): Message {
  return { name, payload, sender: { door: 'update', name, updateId: currentUpdateInfo()?.id ?? '' } };
}
