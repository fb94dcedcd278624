import type { z } from 'zod';
import { messageNames, messages, type Message, type MessageName } from './messages.ts';
import { holdsSecretLike, howToRotate } from './secret-like.ts';
import { approvalProblem, nameKey, resolutionProblem, rollbackProblem, type Policy } from './policy.ts';
import type { GateRecord, RunState } from './state.ts';
import { placeOfRotation } from './procedures.ts';
import { planGateOf, stepsOfGate } from './sop.ts';
import type { RunEvent } from './transition.ts';
import type { GateId, Plan } from './facts.ts';
import { evidenceOf } from './evidence.ts';

/** What a person wants of the run as a whole. The loop that performs the sequence carries it out. */
export interface Wish {
  readonly kind: 'abort' | 'kill-switch' | 'undo-rm-11';
  readonly by: string;
  readonly reason: string;
}

export interface Decision {
  readonly events: readonly RunEvent[];
  readonly wish?: Wish;
  /** The name of the person whose decision counted, where one did: the history is asked who that was. */
  readonly by?: string;
}

type Payload<N extends MessageName> = z.infer<(typeof messages)[N]['payload']>;

/**
 * What a message means in the state that the run is in now. Pure. A message that cannot count is turned into an event
 * that records it as refused, with the reason; none is dropped in silence.
 *
 * @param now milliseconds since 1970
 */
export function decide(state: RunState, message: Message, now: number): Decision {
  switch (message.name) {
    case 'cancel':
      return { events: [], wish: { kind: 'abort', by: 'unnamed', reason: 'the run was cancelled in Temporal' } };
    case 'unknown': {
      const known = `the messages of a run are ${messageNames.join(', ')}`;
      return refuse(message.signal.slice(0, 100), claimedName(message.payload), `there is no such signal: ${known}`);
    }
    default:
      return decideNamed(state, message, now);
  }
}

/** Why an update would be refused as things stand, or undefined. An update's validator says so to its sender at once. */
export function refusalOf(state: RunState, message: Message, now: number): string | undefined {
  for (const event of decide(state, message, now).events) if (event.type === 'messageRefused') return event.why;
  return undefined;
}

function decideNamed(state: RunState, message: Extract<Message, { payload: unknown; sender: unknown }>, now: number) {
  const { name, payload, sender, known } = message;
  const parsed = messages[name].payload.safeParse(payload);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'message'}: ${issue.message}`);
    return refuse(name, claimedName(payload), `the message is not as expected: ${problems.join('; ')}`);
  }
  const secret = secretIn(parsed.data);
  if (secret !== undefined) return refuse(name, claimedName(parsed.data), secret);
  // A client that retries an update sends the same id again, also to the run that continued this one.
  const id = parsed.data.id ?? (sender.door === 'update' ? sender.updateId : undefined);
  if (id !== undefined && state.handledMessages.includes(id)) return { events: [] };
  const decision =
    state.target?.policy.requireVerifiedIdentity === true && known !== undefined && known.principal === null
      ? refuse(name, parsed.data.by, 'the server does not say who sent it, and the policy wants a verified identity')
      : meaningOf(state, name, parsed.data, now);
  return id === undefined ? decision : { ...decision, events: [handled(id), ...decision.events] };
}

/** People's text stands in the history for good: one that holds a credential is not repeated anywhere else. */
function secretIn(payload: Payload<MessageName>): string | undefined {
  const reason = 'reason' in payload ? (payload.reason ?? '') : '';
  for (const [field, text] of Object.entries({ name: payload.by, reason })) {
    const kind = holdsSecretLike(text);
    if (kind === undefined) continue;
    return `its ${field} holds ${kind}. It stands in the history now: if it is a real credential, ${howToRotate}, and send the message again without it`;
  }
  return undefined;
}

const handled = (id: string): RunEvent => ({ type: 'messageHandled', id });

function meaningOf(state: RunState, name: MessageName, payload: Payload<MessageName>, now: number): Decision {
  const { target } = state;
  if (target === null) return refuse(name, payload.by, 'the run has not read its target file yet: send it again');
  switch (name) {
    case 'approve':
      return approval(state, target.policy, payload as Payload<'approve'>, now);
    case 'reject':
      return rejection(state, target.policy, payload as Payload<'reject'>);
    case 'resolve':
      return resolution(state, target.policy, payload as Payload<'resolve'>);
    case 'killSwitch':
      return wayBack(state, target.policy, 'killSwitch', {
        kind: 'kill-switch',
        ...(payload as Payload<'killSwitch'>),
      });
    case 'launch':
      return launch(state, target.policy, payload as Payload<'launch'>, now);
    case 'rotate':
      return rotate(state, target.policy, payload as Payload<'rotate'>);
  }
}

/** The gate that is open, if it is the one that a message is for; else why the message cannot count. */
function openGate(state: RunState, gate: string, plan: string): { id: GateId; record: GateRecord } | string {
  const open = state.stage === 'waiting' && state.at !== null && 'gate' in state.at ? state.at.gate : undefined;
  if (open === undefined) {
    // A sender may name anything, also what every object inherits.
    const earlier = Object.hasOwn(state.gates, gate) ? state.gates[gate as GateId] : undefined;
    const names = earlier?.approvals.map((one) => one.by).join(', ');
    return earlier?.passedAt
      ? `the gate ${gate} is decided: approved by ${names}`
      : `no gate is open: the run is ${state.stage}`;
  }
  if (gate !== open) return `it is for the gate ${gate}, and the open gate is ${open}`;
  const record = state.gates[open];
  if (record === undefined) return `no gate is open: the run is ${state.stage}`;
  if (!record.digest.startsWith(plan)) {
    return `it names the plan ${plan.slice(0, 12)}, and the open plan is ${record.digest.slice(0, 12)}`;
  }
  return { id: open, record };
}

function approval(state: RunState, policy: Policy, message: Payload<'approve'>, now: number): Decision {
  const { by, reason } = message;
  const open = openGate(state, message.gate, message.plan);
  if (typeof open === 'string') return refuse('approve', by, open);
  const { id, record } = open;
  const problem =
    (id === 'soak' ? 'a soak passes by itself, once it was clean for long enough' : undefined) ??
    (id === 'launch' ? 'a launch is approved by the message launch, which names the backup' : undefined) ??
    approvalObstacle(state, policy, record, message, now) ??
    (planGateOf(id) === undefined && reason === undefined ? 'an override needs a reason' : undefined) ??
    (id === 'go' ? acceptanceProblem(state, message.accepts) : undefined);
  if (problem !== undefined) return refuse('approve', by, problem);
  return { by, ...counted(state, policy, id, record, { by, reason: reason ?? null, backup: null }) };
}

/** The launch is a gate of its own kind: behind it there is no way back, so it names what there is instead. */
function launch(state: RunState, policy: Policy, message: Payload<'launch'>, now: number): Decision {
  const { by, backup } = message;
  const open = openGate(state, 'launch', message.plan);
  if (typeof open === 'string') return refuse('launch', by, open);
  const problem = approvalObstacle(state, policy, open.record, message, now);
  if (problem !== undefined) return refuse('launch', by, problem);
  return { by, ...counted(state, policy, 'launch', open.record, { by, reason: null, backup }) };
}

function approvalObstacle(
  state: RunState,
  policy: Policy,
  record: GateRecord,
  { by, confirm }: { by: string; confirm?: string | undefined },
  now: number,
): string | undefined {
  return (
    approvalProblem(policy, state.input.requestedBy, by) ??
    decidedAlready(record) ??
    (record.expiresAt !== null && record.expiresAt <= now
      ? 'it has expired and is about to be asked anew'
      : undefined) ??
    (record.approvals.some((one) => nameKey(one.by) === nameKey(by)) ? `${by} has approved it already` : undefined) ??
    confirmationProblem(state, policy, confirm)
  );
}

/** Where the kill switch will not work, whoever approves the plan says that this was seen. */
function acceptanceProblem(state: RunState, accepts: string | undefined): string | undefined {
  const blocked = evidenceOf<Plan>(state, 'survey')?.facts.killSwitchBlocked;
  if (blocked == null || accepts === 'no-kill-switch') return undefined;
  return `the kill switch will not work: ${blocked}. Whoever approves all the same adds "accepts":"no-kill-switch"`;
}

function wayBack(state: RunState, policy: Policy, message: MessageName, wish: Wish): Decision {
  const { kind, by, reason } = wish;
  const problem =
    rollbackProblem(policy, by) ??
    (state.stage === 'sealing' || state.stage === 'seal-parked'
      ? 'the launch has begun, and there is no way back'
      : undefined) ??
    (state.procedure === 'kill-switch' ? `the kill switch was pulled already, by ${state.wayBack?.by}` : undefined) ??
    (placeOfRotation(state) === 'alone'
      ? 'this run is a rotation, from which no way leads back: start the way back as a run of its own'
      : undefined) ??
    (state.procedure === kind ? 'that is what the run is doing' : undefined) ??
    (kind === 'kill-switch' && state.target?.hasRollback === false
      ? 'the target file does not say how to go back to SQLite (rollback)'
      : undefined);
  return problem === undefined ? { by, events: [], wish: { kind, by, reason } } : refuse(message, by, problem);
}

/** A rotation is asked of the watch alone: in the middle of a cutover it would take away what the next step rests on. */
function rotate(state: RunState, policy: Policy, { by, credential, reason }: Payload<'rotate'>): Decision {
  const watch = state.gates.launch;
  const isWatched = state.stage === 'waiting' && state.at !== null && 'gate' in state.at && state.at.gate === 'launch';
  const problem =
    resolutionProblem(policy, state.input.requestedBy, by) ??
    (state.procedure === 'rotation' ? `a rotation is under way, asked for by ${state.rotation?.by}` : undefined) ??
    (isWatched && watch !== undefined
      ? decidedAlready(watch)
      : `a credential is rotated during the watch, or by a run of its own when no other is open; the run is ${state.stage}` +
        `${state.procedure === 'cutover' ? '' : ` in the ${state.procedure}`}`);
  if (problem !== undefined) return refuse('rotate', by, problem);
  const { survey, confirm } = stepsOfGate.launch;
  return {
    by,
    events: [{ type: 'rotationAsked', credential, by, reason, gate: 'launch', surveys: [survey, confirm] }],
  };
}

type Counted = Pick<Extract<RunEvent, { type: 'approved' }>, 'by' | 'reason' | 'backup'>;

/** One more approval, and the decision where it completes the quorum. */
function counted(state: RunState, policy: Policy, gate: GateId, record: GateRecord, approved: Counted): Decision {
  const needed = Math.max(0, policy.quorum - record.approvals.length - 1);
  // A record that hides that one person did it all would not be worth much.
  const alone = policy.quorum === 1 && nameKey(approved.by) === nameKey(state.input.requestedBy);
  const event: RunEvent = { type: 'approved', gate, needed, alone, ...approved };
  return { events: needed === 0 ? [event, { type: 'decided', gate }] : [event] };
}

function decidedAlready({ decidedAt, approvals }: GateRecord): string | undefined {
  return decidedAt === null ? undefined : `it is decided: approved by ${approvals.map((one) => one.by).join(', ')}`;
}

function confirmationProblem(state: RunState, policy: Policy, confirm: string | undefined): string | undefined {
  if (!policy.typedConfirmation || confirm === state.input.app) return undefined;
  return `whoever approves alone types the app's name: "confirm":"${state.input.app}"`;
}

function rejection(state: RunState, policy: Policy, message: Payload<'reject'>): Decision {
  const { by, reason } = message;
  const open = openGate(state, message.gate, message.plan);
  if (typeof open === 'string') return refuse('reject', by, open);
  // The requester may take a wish back; and in the cooling-off time, whoever approved may think better of it.
  const problem =
    resolutionProblem(policy, state.input.requestedBy, by) ??
    (policy.coolingOffMs === 0 ? decidedAlready(open.record) : undefined);
  if (problem !== undefined) return refuse('reject', by, problem);
  if (open.id === 'uncounted-rows') {
    const failure = { type: 'RowsUncounted', message: `${by} did not allow it: ${reason}` };
    return { by, events: [{ type: 'rollbackRefused', failure }] };
  }
  // In the watch a no to the rotation is no more than that.
  if (open.id === 'rotate' && placeOfRotation(state) === 'in-watch')
    return { by, events: [{ type: 'rotationDropped', by, reason }] };
  return { by, events: [{ type: 'rejected', gate: open.id, by, reason }] };
}

function resolution(state: RunState, policy: Policy, message: Payload<'resolve'>): Decision {
  const { step, attempt, by, action, reason } = message;
  const parked = parkedAt(state);
  if (parked === undefined) return refuse('resolve', by, `nothing is parked: the run is ${state.stage}`);
  if (step !== parked.id || attempt !== parked.attempt) {
    const is = `${parked.id}, attempt ${parked.attempt} is parked`;
    return refuse('resolve', by, `it is for ${step}, attempt ${attempt}, and ${is}`);
  }
  const problem = resolutionProblem(policy, state.input.requestedBy, by);
  if (problem !== undefined) return refuse('resolve', by, problem);
  switch (action) {
    case 'retry': {
      const gate = planGateOf(parked.id);
      return {
        by,
        events: [{ type: 'resolved', step: parked.id, by, reason, surveys: gate ? [gate.survey, gate.confirm] : [] }],
      };
    }
    case 'abort':
      // It was asked of a watch, and that is what is left of the run.
      if (placeOfRotation(state) === 'in-watch') return { by, events: [{ type: 'rotationDropped', by, reason }] };
      return { by, events: [], wish: { kind: 'abort', by, reason } };
    case 'undo-rm-11':
    case 'kill-switch':
      return wayBack(state, policy, 'resolve', { kind: action, by, reason });
  }
}

/** What waits for a decision: a step, or a gate that was rejected, with the attempt that a decision must name. */
export function parkedAt(state: RunState) {
  if ((state.stage !== 'parked' && state.stage !== 'seal-parked') || state.at === null) return undefined;
  if ('step' in state.at) {
    const { step } = state.at;
    return { id: step, attempt: state.steps[step]?.attempt ?? 1 } as const;
  }
  const { gate } = state.at;
  return { id: gate, attempt: state.gates[gate]?.round ?? 1 } as const;
}

/** Longest reason for a refusal: it quotes what was sent, and every refusal stands in the state and in the memo. */
const whyLimit = 500;

function refuse(message: string, by: string | null, why: string): Decision {
  return { events: [{ type: 'messageRefused', message, by, why: why.slice(0, whyLimit) }] };
}

/**
 * The name that an otherwise unreadable message claims: shown beside its refusal, so that its sender can be asked. Not
 * where it looks like a credential: whoever looks for the sender finds the message itself.
 */
function claimedName(payload: unknown): string | null {
  const by = typeof payload === 'object' && payload !== null ? (payload as { by?: unknown }).by : undefined;
  return typeof by === 'string' && by.trim() !== '' && holdsSecretLike(by) === undefined ? by.slice(0, 100) : null;
}
