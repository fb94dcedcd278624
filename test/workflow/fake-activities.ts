import { ApplicationFailure } from '@temporalio/common';
import { Context } from '@temporalio/activity';
import { canonicalDigest } from '../../activities/canonical-json.ts';
import type { Activities } from '../../activities/index.ts';
import type { WindowAnswer, WindowQuestion } from '../../activities/read-window.ts';
import type { KnownSender, Sender } from '../../workflows/messages.ts';
import type { Notice } from '../../workflows/notice.ts';
import type { Drift, TargetSummary } from '../../workflows/state.ts';
import { steps, stepIds, type Evidence, type StepCall, type StepId } from '../../workflows/steps.ts';
import { sampleEvidence } from './sample-evidence.ts';
import { sampleSummary } from './sample-target.ts';

/**
 * What a step of the fake world does instead of succeeding; given the call, it may throw, wait, answer what differs from
 * the sample, or return.
 */
export type Behaviour = (call: StepCall) => Promise<Unusual | void> | Unusual | void;
export interface Unusual {
  readonly evidence?: unknown;
  readonly drift?: readonly Drift[];
}

export interface FakeWorld {
  readonly activities: Activities;
  /** The steps in the order in which they ended well, of every app in the world; samples of a watch aside. */
  readonly performed: StepId[];
  readonly calls: StepCall[];
  /** The apps whose target file was asked for. */
  readonly targetsRead: string[];
  /** Whose messages the history was asked about. */
  readonly identified: Sender[];
  /** What people were told, in the order in which they were, a retry included. */
  readonly told: Notice[];
  performedIn(app: string): StepId[];
  behave(step: StepId, behaviour: Behaviour): void;
}

export interface FakeWorldOptions extends Partial<TargetSummary> {
  /** What steps see where it differs from the sample. */
  readonly evidence?: { readonly [S in StepId]?: Evidence<S> };
  /** Whether writes may begin; they may, unless said. */
  readonly window?: (question: WindowQuestion) => WindowAnswer;
  /** Who sent a message, as the server has it. */
  readonly sender?: (sender: Sender) => KnownSender | Promise<KnownSender>;
  /** What the receiver of notices does with one: it may throw, or wait. */
  readonly receiver?: (notice: Notice) => Promise<void> | void;
}

/** Activities that change a world of their own, so that a workflow test asserts what happened and not what was called. */
export function createFakeWorld({
  evidence = {},
  window = () => ({ open: true }),
  sender: knownSender = () => ({ identity: 'test-client', principal: null }),
  receiver = () => undefined,
  ...target
}: FakeWorldOptions = {}): FakeWorld {
  const performed: { app: string; step: StepId }[] = [];
  const calls: StepCall[] = [];
  const targetsRead: string[] = [];
  const identified: Sender[] = [];
  const told: Notice[] = [];
  const behaviours = new Map<StepId, Behaviour>();
  const performedIn = (app: string): StepId[] => performed.filter((one) => one.app === app).map((one) => one.step);

  const perform = async (call: StepCall): Promise<unknown> => {
    calls.push(call);
    const unusual = (await behaviours.get(call.step)?.(call)) ?? {};
    const again = performedIn(call.app).includes(call.step);
    if (call.step !== 'watch-sample' && call.step !== 'soak-sample') performed.push({ app: call.app, step: call.step });
    const did = !steps[call.step].writes ? 'observed' : again ? 'already' : 'acted';
    return { did, evidence: evidence[call.step] ?? sampleEvidence[call.step], ...unusual };
  };
  const byName = Object.fromEntries(stepIds.map((step) => [steps[step].activity, perform]));
  const readTarget = (app: string): Promise<TargetSummary> => {
    targetsRead.push(app);
    if (app === 'unknown-app') throw finalFailure('UnknownApp', 'There is no target file for unknown-app.');
    return Promise.resolve({ ...sampleSummary, ...target });
  };
  const others = {
    readTarget,
    writeRecord: () => Promise.resolve(null),
    readWindow: (question: WindowQuestion) => Promise.resolve(window(question)),
    digestOf: (value: unknown) => Promise.resolve(canonicalDigest(value)),
    identifySender(sender: Sender) {
      identified.push(sender);
      return Promise.resolve(knownSender(sender));
    },
    async tellPeople(notice: Notice) {
      told.push(notice);
      await receiver(notice);
      return { told: true };
    },
  };
  return {
    activities: { ...byName, ...others } as unknown as Activities,
    get performed() {
      return performed.map((one) => one.step);
    },
    calls,
    targetsRead,
    identified,
    told,
    performedIn,
    behave: (step, behaviour) => void behaviours.set(step, behaviour),
  };
}

/** A failure that no retry mends. */
export function finalFailure(type: string, message = `${type} was staged`): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, type);
}

/** A failure that is tried again at once. */
export function passingFailure(type: string): ApplicationFailure {
  return ApplicationFailure.create({ type, message: `${type} was staged`, nextRetryDelay: 10 });
}

/** Waits inside an activity until `release` is called, or the activity is cancelled; heartbeats as a real one does. */
export function barrier(): { reached: Promise<void>; release: () => void; hold: () => Promise<void> } {
  let reach: () => void = () => undefined;
  let release: () => void = () => undefined;
  const reached = new Promise<void>((resolve) => (reach = resolve));
  const released = new Promise<void>((resolve) => (release = resolve));
  return {
    reached,
    release: () => release(),
    hold: async () => {
      const context = Context.current();
      reach();
      const heart = setInterval(() => context.heartbeat(), 100);
      try {
        await Promise.race([released, context.cancelled]);
      } finally {
        clearInterval(heart);
      }
    },
  };
}
