import { stepIdsOf, when, type Item, type StepItem } from './sop.ts';

/** What a way back has learnt so far. */
export interface KnownWayBack {
  /** It may not go on; what was fenced is let go again. */
  readonly refused: boolean;
  /** A fence was raised, or at least begun. */
  readonly fenceBegun: boolean;
  /** The database could not be asked for its rows. */
  readonly uncounted: boolean;
}

/** A way back on which nothing has gone wrong. */
export const asPlanned: KnownWayBack = { refused: false, fenceBegun: false, uncounted: false };

/** While PostgreSQL is down neither the seal nor the rows can be read: people then decide with open eyes. */
const whileDown = { tolerates: ['DatabaseUnreachable', 'DatabaseBusy'] } as const;

const liftFence: StepItem = { kind: 'step', id: 'lift-fence', phase: 'way-back', needs: ['formation'] };

/** What RM-11 brought, taken away in the reverse order. One that fails does not keep the others from going. */
const takeDownRole: Item[] = [
  { kind: 'step', id: 'revoke-grants', phase: 'way-back', onFailure: 'later' },
  { kind: 'step', id: 'unbind-url', phase: 'way-back', onFailure: 'later' },
  { kind: 'step', id: 'drop-credential', phase: 'way-back', onFailure: 'later' },
];

/** Taking the URL away makes a release, and with it new dynos: also where a person had to decide about it first. */
const restartUnbound: Item = { kind: 'step', id: 'restart-unbound', phase: 'way-back', follows: ['unbind-url'] };

const begin: Item[] = [
  { kind: 'step', id: 'read-seal', phase: 'way-back', refuses: true, ...whileDown },
  { kind: 'step', id: 'survey-way-back', phase: 'way-back' },
];

/**
 * The kill switch: back to SQLite. Users come first, so RM-11 is taken down only once the app serves again. Rows are
 * counted twice: a row that lands between the first count and the fence is found by the second one.
 */
export function killSwitch({ refused, fenceBegun, uncounted }: KnownWayBack): Item[] {
  if (refused) return fenceBegun ? [liftFence] : [];
  return [
    ...begin,
    { kind: 'step', id: 'count-rows', phase: 'way-back', refuses: true, ...whileDown },
    ...when(uncounted, {
      kind: 'gate',
      id: 'uncounted-rows',
      phase: 'way-back',
      title: 'Allow the way back although rows cannot be counted',
      about: 'PostgreSQL cannot be asked: whether it is launched, or holds rows of customers, is not known',
    }),
    { kind: 'step', id: 'settle-dynos', phase: 'way-back' },
    { kind: 'step', id: 'fence', phase: 'way-back', needs: ['formation'] },
    { kind: 'step', id: 'count-rows-fenced', phase: 'way-back', refuses: true, ...(uncounted ? whileDown : {}) },
    { kind: 'step', id: 'to-sqlite', phase: 'way-back' },
    { kind: 'step', id: 'verify-sqlite', phase: 'way-back' },
    liftFence,
    { kind: 'step', id: 'verify-serving', phase: 'way-back', needs: ['killedAt'] },
    ...takeDownRole,
    restartUnbound,
  ];
}

/** The undo of RM-11 alone: the app goes on, on PostgreSQL, as the owner. */
export function undoRm11({ refused }: KnownWayBack): Item[] {
  if (refused) return [];
  return [
    ...begin.map((item) => ({ ...item, tolerates: [] }) as Item),
    { kind: 'step', id: 'settle-dynos', phase: 'way-back' },
    { kind: 'step', id: 'flag-off', phase: 'way-back' },
    { kind: 'step', id: 'restart-undo', phase: 'way-back' },
    // The suite fills the app's pool: before it, nobody would be connected at all.
    { kind: 'step', id: 'smoke-undo', phase: 'way-back' },
    { kind: 'step', id: 'verify-owner-sessions', phase: 'way-back' },
    ...takeDownRole,
    restartUnbound,
  ];
}

/** The steps that only ways back take. */
export const wayBackSteps = stepIdsOf([...killSwitch({ ...asPlanned, uncounted: true }), ...undoRm11(asPlanned)]);
