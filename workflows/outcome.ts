import { certificateText, stagingSoakText } from './certificate.ts';
import type { Wish } from './decide.ts';
import { evidenceOf } from './evidence.ts';
import type { Plan } from './facts.ts';
import type { Outcome, RunState } from './state.ts';
import type { Evidence } from './steps.ts';
import { view, type ItemStatus } from './view.ts';

/** How a run ends whose procedure is done to the last item. */
export function outcomeOf(state: RunState): Outcome {
  const by = state.wayBack?.by ?? null;
  const reported = failedItems(state);
  const but = reported.length > 0 ? ` Failed, and not in the way: ${reported.join('; ')}.` : '';
  switch (state.procedure) {
    case 'cutover':
      return {
        result: 'completed',
        by,
        reason: `Every step is done and verified, and the database is sealed.${soakBefore(state)}${but}`,
      };
    case 'staging-soak':
      return { result: 'completed', by, reason: soakedText(state) };
    case 'plan':
      return { result: 'planned', by, reason: 'Everything was read and nothing was changed.' };
    case 'kill-switch':
      return { result: 'rolled-back', by, reason: `The app serves on SQLite: ${state.wayBack?.reason}.${but}` };
    case 'undo-rm-11':
      return { result: 'undone', by, reason: `RM-11 is undone: ${state.wayBack?.reason}.${but}` };
    case 'rotation': {
      const { credential, by: asked = null } = state.rotation ?? {};
      return {
        result: 'rotated',
        by: asked,
        reason: `The password of the ${credential} is another one, and nobody is connected with the old one.${but}`,
      };
    }
  }
}

/** What a cutover owes to a soak before it, for the record. */
function soakBefore(state: RunState): string {
  const soak = evidenceOf<Plan>(state, 'survey')?.facts.stagingSoak;
  return soak === undefined ? '' : ` The staging soak was ${stagingSoakText(soak)}.`;
}

function soakedText(state: RunState): string {
  const { certificate, file } = evidenceOf<Evidence<'certify'>>(state, 'certify') ?? {};
  if (certificate === undefined) return 'The soak is over.';
  return `The app was soaked: ${certificateText(certificate)}. ${file == null ? 'The certificate stands in the history alone, for the worker has no folder for it.' : `The certificate is ${file}.`}`;
}

/** How a run ends that a person stops. It undoes nothing by itself: it says exactly what it leaves in place. */
export function stoppedBy(state: RunState, { kind, by, reason }: Wish): Outcome {
  const { items } = view(state);
  const inPlace = items.filter((item) => item.did === 'acted' || item.did === 'settled').map((item) => item.id);
  const unsettled = items.filter(isUnsettled).map((item) => item.id);
  const failed = failedItems(state);
  return {
    result: 'aborted',
    by,
    reason: [
      `${reason}.`,
      ...(kind === 'abort' ? [] : ['This run had not begun to write, so there was nothing to take back.']),
      `In place: ${inPlace.join(', ') || 'nothing was changed'}.`,
      ...(unsettled.length > 0 ? [`Interrupted, so not known until looked at: ${unsettled.join(', ')}.`] : []),
      ...(failed.length > 0 ? [`Failed: ${failed.join('; ')}.`] : []),
    ].join(' '),
  };
}

function isUnsettled(item: ItemStatus): boolean {
  return item.kind === 'step' && item.attempt !== undefined && item.state !== 'done';
}

/** Every step that failed and was not mended, the first one first. */
function failedItems(state: RunState): string[] {
  return view(state).items.flatMap(({ kind, id, failure, state: itemState }) =>
    kind === 'step' && failure != null && itemState !== 'done' ? [`${id} (${failure.type})`] : [],
  );
}
