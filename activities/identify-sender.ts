import { Context } from '@temporalio/activity';
import type { KnownSender, Sender } from '../workflows/messages.ts';
import { fail } from './fail.ts';

/**
 * Who sent a message, as the history of the run has it. `identity` is whatever the client said of itself. A principal is
 * there only where the server verifies tokens and is told to write it down (`frontend.enablePrincipalPropagation`, on
 * servers newer than 1.29) [ran: 1.29.1 has none].
 *
 * @throws ApplicationFailure `OutcomeUnknown` while the event is not in the history that the server shows
 */
export async function identifySender(sender: Sender): Promise<KnownSender> {
  const { client, info } = Context.current();
  const { workflowId, runId } = info.workflowExecution ?? { workflowId: '', runId: '' };
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const all = events ?? [];
  if (sender.door === 'start') {
    const [first] = all;
    const identity = first?.workflowExecutionStartedEventAttributes?.identity ?? '';
    return { identity, principal: first?.principal?.name ?? null };
  }
  if (sender.door === 'signal') {
    const signals = all.filter((event) => event.workflowExecutionSignaledEventAttributes?.signalName === sender.name);
    const event = signals[sender.ordinal - 1];
    if (event !== undefined) {
      const identity = event.workflowExecutionSignaledEventAttributes?.identity ?? '';
      return { identity, principal: event.principal?.name ?? null };
    }
  } else {
    const accepted = all.find(
      (event) =>
        event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.meta?.updateId === sender.updateId,
    );
    if (accepted !== undefined) {
      const { acceptedRequest } = accepted.workflowExecutionUpdateAcceptedEventAttributes ?? {};
      return { identity: acceptedRequest?.meta?.identity ?? '', principal: accepted.principal?.name ?? null };
    }
  }
  throw fail(
    'OutcomeUnknown',
    `The history does not show the ${sender.door} ${sender.name} yet. It is looked at again.`,
  );
}
