import { evidenceOf } from './evidence.ts';
import type { Plan } from './facts.ts';
import { rotation } from './rotation-sequence.ts';
import type { RotationPlan } from './rotation-plan.ts';
import { soakSequence } from './soak-sequence.ts';
import { sequence, type Item, type Known, type StepItem } from './sop.ts';
import type { Procedure, RunState, StepRecord } from './state.ts';
import type { Evidence } from './steps.ts';
import type { RunEvent } from './transition.ts';
import { killSwitch, undoRm11, type KnownWayBack } from './way-back.ts';

/** Every procedure, as its items unfold from what a run knows. */
const procedures: Record<Procedure, (state: RunState) => Item[]> = {
  cutover: (state) => sequence(known(state)),
  plan: (state) => planOnly(sequence(known(state))),
  'kill-switch': (state) => killSwitch(knownWayBack(state)),
  'undo-rm-11': (state) => undoRm11(knownWayBack(state)),
  'staging-soak': (state) => soakSequence(known(state), state.target?.soak?.rehearses ?? false),
  rotation: (state) =>
    rotation({
      plan: evidenceOf<RotationPlan>(state, 'survey-rotation'),
      inWatch: state.rotation?.from != null,
      approvedBeforehand: state.target?.rotatesUnasked === true,
    }),
};

/** The items of the procedure that the run performs now. */
export function itemsOf(state: RunState): Item[] {
  return procedures[state.procedure](state);
}

/** Those, and before them what the run has done of the procedures that were interrupted for it. */
export function allItems(state: RunState): Item[] {
  const interrupted = [state.rotation?.from, state.wayBack?.from].filter((one) => one != null);
  const before = interrupted
    .flatMap((one) => procedures[one](state))
    .filter((item) => (item.kind === 'step' ? state.steps[item.id] : state.gates[item.id]) !== undefined);
  return [...before, ...itemsOf(state)];
}

/**
 * For what a run performs a rotation now: `alone` where it was started for it, `in-watch` where that was asked of a watch,
 * which goes on behind it; undefined where it performs none.
 */
export function placeOfRotation({
  procedure,
  rotation: asked,
}: Pick<RunState, 'procedure' | 'rotation'>): 'alone' | 'in-watch' | undefined {
  if (procedure !== 'rotation') return undefined;
  return asked?.from == null ? 'alone' : 'in-watch';
}

/** The event by which the procedure goes on that was interrupted for one that is done now; undefined where none was. */
export function returnOf(state: RunState): Extract<RunEvent, { type: 'rotated' }> | undefined {
  if (placeOfRotation(state) !== 'in-watch' || state.rotation == null) return undefined;
  return { type: 'rotated', credential: state.rotation.credential, by: state.rotation.by };
}

/** What the cutover unfolds from. */
export function known(state: RunState): Known {
  const upgrade = evidenceOf<Evidence<'upgrade'>>(state, 'upgrade');
  return {
    hasFollowUps: state.target?.hasFollowUps ?? false,
    hasPullRequest: state.target?.hasPullRequest ?? false,
    pullRequest: evidenceOf(state, 'inspect-pull-request'),
    go: evidenceOf<Plan>(state, 'survey')?.facts,
    promoting: state.steps.promote !== undefined,
    migrated: upgrade && upgrade.applied.length > 0,
    rm11: evidenceOf<Plan>(state, 'survey-rm-11')?.facts,
  };
}

function knownWayBack({ wayBack, steps }: RunState): KnownWayBack {
  return {
    refused: wayBack?.refused != null,
    fenceBegun: steps.fence !== undefined,
    uncounted: steps['count-rows']?.givenUp === true || steps['read-seal']?.givenUp === true,
  };
}

/** Every read of preflight and the plan that people would be asked about, and nothing that waits or writes. */
function planOnly(items: readonly Item[]): Item[] {
  return items.filter(
    (item) => item.kind === 'step' && item.phase === 'preflight' && item.id !== 'await-pull-request' && !item.confirms,
  );
}

/** The first item that is not yet done, or undefined at the end of the procedure. */
export function nextItem(state: RunState): Item | undefined {
  return itemsOf(state).find((item) => {
    if (item.kind !== 'step') return !state.gates[item.id]?.passedAt;
    const record = state.steps[item.id];
    return record?.givenUp !== true && (!record?.did || isOutdated(state, item, record));
  });
}

/** Whether something that the step waits for has come about only since it began. */
function isOutdated({ steps }: RunState, { follows = [] }: StepItem, { startedAt }: StepRecord): boolean {
  return follows.some((id) => steps[id]?.did != null && (steps[id].finishedAt ?? 0) > startedAt);
}

/** A step that the procedure went on without, and that a person still has to decide about. */
export function leftOver(state: RunState): StepItem | undefined {
  return itemsOf(state).find(
    (item): item is StepItem =>
      item.kind === 'step' && item.onFailure === 'later' && state.steps[item.id]?.givenUp === true,
  );
}
