import type { z } from 'zod';
import { approveMessage, resolveMessage, type Message } from './messages.ts';
import type { RunEvent, RunState } from './state.ts';

/** A person's wish to end the run where it stands. */
export interface Abort {
  readonly by: string;
  readonly reason: string;
}

export interface Decision {
  readonly events: readonly RunEvent[];
  readonly abort?: Abort;
}

/**
 * What a message means in the state that the run is in now. Pure. A message that cannot count is turned into an event
 * that records it as refused, with the reason; none is dropped in silence.
 */
export function decide(state: RunState, message: Message): Decision {
  switch (message.name) {
    case 'approve':
      return decideParsed(state, 'approve', approveMessage, message.payload, decideApproval);
    case 'resolve':
      return decideParsed(state, 'resolve', resolveMessage, message.payload, decideResolution);
    case 'unknown': {
      const known = 'the signals of a run are approve and resolve';
      return refuse(message.signal.slice(0, 100), claimedName(message.payload), `there is no such signal: ${known}`);
    }
    case 'cancel':
      return { events: [], abort: { by: 'unnamed', reason: 'the run was cancelled in Temporal' } };
  }
}

function decideParsed<S extends z.ZodTypeAny>(
  state: RunState,
  name: string,
  schema: S,
  payload: unknown,
  next: (state: RunState, parsed: z.infer<S>) => Decision,
): Decision {
  const parsed = schema.safeParse(payload);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'message'}: ${issue.message}`);
    return refuse(name, claimedName(payload), `the message is not as expected: ${problems.join('; ')}`);
  }
  const { id } = parsed.data as { id?: string };
  if (id === undefined) return next(state, parsed.data as z.infer<S>);
  if (state.handledMessages.includes(id)) return { events: [] };
  const decision = next(state, parsed.data as z.infer<S>);
  return { ...decision, events: [{ type: 'messageHandled', id }, ...decision.events] };
}

function decideApproval(state: RunState, { gate, by, plan }: z.infer<typeof approveMessage>): Decision {
  if (state.stage !== 'waiting' || state.at === null || !('gate' in state.at)) {
    return refuse('approve', by, `no gate is open: the run is ${state.stage}`);
  }
  const open = state.at.gate;
  if (gate !== open) return refuse('approve', by, `it is for the gate ${gate}, and the open gate is ${open}`);
  const digest = state.gates[open]?.digest ?? '';
  if (!digest.startsWith(plan)) {
    return refuse('approve', by, `it names the plan ${plan.slice(0, 12)}, and the open plan is ${digest.slice(0, 12)}`);
  }
  return { events: [{ type: 'approved', gate: open, by }] };
}

function decideResolution(state: RunState, message: z.infer<typeof resolveMessage>): Decision {
  const { step, attempt, by, action, reason } = message;
  if (state.stage !== 'parked' || state.at === null || !('step' in state.at)) {
    return refuse('resolve', by, `no step is parked: the run is ${state.stage}`);
  }
  const parked = state.at.step;
  const current = state.steps[parked]?.attempt ?? 1;
  if (step !== parked || attempt !== current) {
    return refuse('resolve', by, `it is for ${step}, attempt ${attempt}, and ${parked}, attempt ${current} is parked`);
  }
  return action === 'retry'
    ? { events: [{ type: 'resolved', step: parked, by, reason }] }
    : { events: [], abort: { by, reason } };
}

/** Longest reason for a refusal: it quotes what was sent, and every refusal stands in the state and in the memo. */
const whyLimit = 500;

function refuse(message: string, by: string | null, why: string): Decision {
  return { events: [{ type: 'messageRefused', message, by, why: why.slice(0, whyLimit) }] };
}

/** The name that an otherwise unreadable message claims: shown beside its refusal, so that its sender can be asked. */
function claimedName(payload: unknown): string | null {
  const by = typeof payload === 'object' && payload !== null ? (payload as { by?: unknown }).by : undefined;
  return typeof by === 'string' && by.trim() !== '' ? by.slice(0, 100) : null;
}
