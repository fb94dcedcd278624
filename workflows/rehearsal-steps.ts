import { cutoverSteps } from './cutover-steps.ts';
import type { launchSteps } from './launch-steps.ts';
import type { rotationSteps } from './rotation-steps.ts';
import type { soakSteps } from './soak-steps.ts';
import { wayBackSteps } from './way-back-steps.ts';

/** The steps of the kill switch, which a soak rehearses. */
const rehearsed = [
  'read-seal',
  'survey-way-back',
  'count-rows',
  'settle-dynos',
  'fence',
  'count-rows-fenced',
  'to-sqlite',
  'verify-sqlite',
  'lift-fence',
  'verify-serving',
  'revoke-grants',
  'unbind-url',
  'drop-credential',
  'restart-unbound',
] as const;
/** What brings the app back from there. */
const performedAgain = [
  'promote',
  'upgrade',
  'verify-schema',
  'restart',
  'smoke',
  'credential',
  'bind-url',
  'grants',
  'flag',
  'restart-rm-11',
  'smoke-rm-11',
  'verify-sessions',
] as const;

type RehearsedId = (typeof rehearsed)[number];
type PerformedAgainId = (typeof performedAgain)[number];
export type RehearsalId = `${RehearsedId}-rehearsal`;
export type AgainId = `${PerformedAgainId}-again`;

export const isRehearsed = (id: string): id is RehearsedId => (rehearsed as readonly string[]).includes(id);
export const isPerformedAgain = (id: string): id is PerformedAgainId =>
  (performedAgain as readonly string[]).includes(id);

type Renamed<T, K extends keyof T & string, S extends string> = { readonly [Id in K as `${Id}-${S}`]: T[Id] };

/** The same steps once more: a run remembers each step by its id, and here it takes them twice. */
function renamed<T extends Record<K, { readonly title: string }>, K extends keyof T & string, S extends string>(
  steps: T,
  ids: readonly K[],
  suffix: S,
  note: string,
): Renamed<T, K, S> {
  const entries = ids.map((id) => [`${id}-${suffix}`, { ...steps[id], title: `${steps[id].title} (${note})` }]);
  return Object.fromEntries(entries) as Renamed<T, K, S>;
}

/** The way back and forth that a soak rehearses. */
export const rehearsalSteps = {
  ...renamed(wayBackSteps, rehearsed, 'rehearsal', 'rehearsal'),
  ...renamed(cutoverSteps, performedAgain, 'again', 'once more'),
} as const;

/** A step that is not another one over again. */
export type OwnStepId = keyof (typeof cutoverSteps &
  typeof launchSteps &
  typeof wayBackSteps &
  typeof soakSteps &
  typeof rotationSteps);

/** The step that a rehearsed one is the same as; every other is its own. */
export function ownStep(id: OwnStepId | RehearsalId | AgainId): OwnStepId {
  return id.replace(/-(rehearsal|again)$/, '') as OwnStepId;
}
