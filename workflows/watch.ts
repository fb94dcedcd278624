import { CancellationScope } from '@temporalio/workflow';
import { callStep } from './proxies.ts';
import type { Run } from './run.ts';
import type { StepItem } from './sop.ts';
import type { Watch } from './state.ts';
import { stepCall } from './step-calls.ts';
import type { Evidence, StepResult } from './steps.ts';
import { allows, type EventType } from './transition.ts';

/** Something that is done again and again beside a gate, and stops when the gate is left. */
export interface Beside {
  /** When it is due, in milliseconds since 1970; not while it is being done. */
  dueAt(): number;
  begin(): void;
  readonly isRunning: boolean;
  /** Where it decides by itself that the gate is passed: whether it has. */
  isComplete?(): boolean;
  /** Resolves when nothing of it is running any more. */
  stop(): Promise<void>;
}

const sample: StepItem = { kind: 'step', id: 'watch-sample', phase: 'watch', needs: ['baselineOfWatch'] };

/** Samples of health and drift, taken until the launch. A sample that cannot be taken is a gap, and not health. */
export function createSampler(run: Run): Beside {
  const every = run.state.target?.sampleEveryMs ?? Infinity;
  const lastAt = run.state.watch?.lastAt ?? null;
  return createSampling<Evidence<'watch-sample'>>(
    run,
    { item: sample, event: 'sampled', lastAt, every: () => every },
    (seen) => run.apply({ type: 'sampled', watch: afterSample(run.state.watch, seen, Date.now(), every) }),
  );
}

export interface Sampling {
  readonly item: StepItem;
  /** What a sample becomes; none is entered where the run is past it. */
  readonly event: EventType;
  /** When the last one was entered, in milliseconds since 1970. */
  readonly lastAt: number | null;
  /** Milliseconds from the beginning of a sample to that of the next, as things stand. */
  readonly every: () => number;
}

/**
 * Samples beside a gate.
 *
 * @param enter told what was seen, or undefined where the sample could not be taken
 */
export function createSampling<E>(
  run: Run,
  { item, event, lastAt, every }: Sampling,
  enter: (seen: E | undefined) => void,
): Beside {
  let running: { scope: CancellationScope; ended: Promise<void> } | undefined;
  let isStopped = false;
  let lastBegan = lastAt;

  const end = (seen: E | undefined): void => {
    if (!isStopped && allows(run.state, event)) enter(seen);
  };
  return {
    dueAt: () => (running ? Infinity : lastBegan === null ? 0 : lastBegan + every()),
    get isRunning() {
      return running !== undefined;
    },
    begin() {
      const scope = new CancellationScope();
      lastBegan = Date.now();
      const ended = scope
        .run(() => callStep(stepCall(run.state, item, undefined)) as Promise<StepResult<E>>)
        .then(
          ({ evidence }) => end(evidence),
          () => end(undefined),
        )
        .then(() => void (running = undefined));
      running = { scope, ended };
    },
    async stop() {
      isStopped = true;
      running?.scope.cancel();
      await running?.ended;
    },
  };
}

/**
 * @param seen undefined where the sample could not be taken
 * @param now milliseconds since 1970
 * @param every milliseconds between two samples
 */
export function afterSample(
  before: Watch | null,
  seen: Evidence<'watch-sample'> | undefined,
  now: number,
  every: number,
): Watch {
  const watch = before ?? { since: now, samples: 0, red: 0, lastAt: now, healthy: true, problems: [], gapMs: 0 };
  const late = Math.max(0, now - watch.lastAt - every);
  // Some seconds pass between two samples in any case: what is missing is a sample that did not come.
  const gapMs = watch.gapMs + (seen === undefined ? Math.min(every, now - watch.lastAt) : late >= every ? late : 0);
  const healthy = seen?.healthy ?? false;
  return {
    ...watch,
    samples: watch.samples + 1,
    red: watch.red + (healthy ? 0 : 1),
    lastAt: now,
    healthy,
    problems: seen?.problems ?? ['the sample could not be taken'],
    gapMs,
  };
}
