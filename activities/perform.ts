import { activityInfo } from '@temporalio/activity';
import type { Drift } from '../workflows/state.ts';
import type { StepResult } from '../workflows/steps.ts';
import { fail } from './fail.ts';
import { currentScope, pause } from './scope.ts';

/** What a look at the world found of a step's goal. */
export type Seen<E> =
  | { readonly is: 'done'; readonly evidence: E }
  /** Somebody has begun it, this run or another; there is nothing to do but wait. */
  | { readonly is: 'underway'; readonly what: string }
  | { readonly is: 'absent'; readonly what: string };

export interface Performance<E> {
  /** Looks, and changes nothing. It is asked before the act, after it, and again in every retry. */
  readonly probe: () => Promise<Seen<E>>;
  readonly act: () => Promise<void>;
  /**
   * Looks, right before the act, whether the target still is what was approved, and answers what else has changed.
   *
   * @throws ApplicationFailure where it is not
   */
  readonly guard?: () => Promise<readonly Drift[]>;
  /** The act may be due again: what it follows moves on. It is then done as often as the probe finds its effect missing. */
  readonly repeats?: boolean;
  /** Milliseconds until the next look while waiting for the effect, by how many it was waited for already; 500 unless said. */
  readonly every?: (waited: number) => number;
  /** Milliseconds after the act in which its effect must be seen, at the latest. */
  readonly within?: number;
}

/**
 * Probe, act, verify: the one way in which a step changes the world. A retry starts with the probe, so that running
 * twice does it once; an act whose answer was lost is settled by looking, never by sending again.
 *
 * @throws ApplicationFailure `NotInPlace` when the effect could not be seen in time; `Superseded` where the act is not this
 *   attempt's to do any more; whatever probe and act throw
 */
export async function perform<E>({
  probe,
  act,
  guard = () => Promise.resolve([]),
  repeats = false,
  every = () => 500,
  within = 120_000,
}: Performance<E>): Promise<StepResult<E>> {
  const { report, proveLease } = currentScope();
  const interrupted = activityInfo().attempt > 1;
  let acted = false;
  let drift: readonly Drift[] = [];
  let since = Date.now();
  let seen = await probe();
  for (; seen.is !== 'done'; seen = await probe()) {
    // What was underway may come to nothing (a dyno that died with its worker): then it is this attempt's to do.
    if (seen.is === 'absent' && (repeats || !acted)) {
      drift = await guard();
      report('acting');
      await proveLease();
      await act();
      report('acted');
      acted = true;
      since = Date.now();
      continue;
    }
    const waited = Date.now() - since;
    if (waited > within) {
      throw fail(
        'NotInPlace',
        `After ${within / 1000} s the step is still ${seen.is}: ${seen.what}. It is looked at again in the next attempt.`,
      );
    }
    await pause(every(waited));
  }
  report('verified');
  const did = acted ? 'acted' : interrupted ? 'settled' : 'already';
  return { did, evidence: seen.evidence, ...(drift.length > 0 ? { drift } : {}) };
}

/** A step that only looks. */
export async function observe<E>(look: () => Promise<E>): Promise<StepResult<E>> {
  const evidence = await look();
  currentScope().report('verified');
  return { did: 'observed', evidence };
}
