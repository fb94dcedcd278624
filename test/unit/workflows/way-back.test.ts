import { describe, expect, test } from '@jest/globals';
import { leftOver, nextItem } from '../../../workflows/procedures.ts';
import { stepIdsOf, type Item } from '../../../workflows/sop.ts';
import type { RunState } from '../../../workflows/state.ts';
import type { StepId } from '../../../workflows/steps.ts';
import type { RunEvent } from '../../../workflows/transition.ts';
import { asPlanned, killSwitch, undoRm11 } from '../../../workflows/way-back.ts';
import { events } from './events.ts';
import { done, failed, passed, preflight, read, started, walk, walkFor } from './walk.ts';

const idsOf = (items: readonly Item[]): string[] => items.map((item) => item.id);

/** The steps of the kill switch that come before one of them. */
const stepsBefore = (id: StepId): StepId[] => {
  const ids = stepIdsOf(killSwitch(asPlanned));
  return ids.slice(0, ids.indexOf(id));
};

describe('the kill switch', () => {
  test('brings users back first, behind a fence and two counts, and takes RM-11 down after that', () => {
    expect(idsOf(killSwitch(asPlanned))).toEqual([
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
    ]);
  });

  test('is refused by the seal and by either count, and by nothing else', () => {
    const refusing = killSwitch(asPlanned).filter((item) => item.kind === 'step' && item.refuses === true);
    expect(idsOf(refusing)).toEqual(['read-seal', 'count-rows', 'count-rows-fenced']);
  });

  test('whose rows cannot be counted asks people, and then does not ask the database again', () => {
    const items = killSwitch({ ...asPlanned, uncounted: true });
    const ids = idsOf(items);
    expect(ids.indexOf('uncounted-rows')).toBe(ids.indexOf('count-rows') + 1);
    expect(ids.indexOf('uncounted-rows')).toBeLessThan(ids.indexOf('fence'));
    const tolerating = (all: readonly Item[]) =>
      idsOf(all.filter((item) => item.kind === 'step' && item.tolerates?.includes('DatabaseUnreachable')));
    expect(tolerating(items)).toEqual(['read-seal', 'count-rows', 'count-rows-fenced']);
    // A database that answered the first count and is away at the second may have rows by now.
    expect(tolerating(killSwitch(asPlanned))).toEqual(['read-seal', 'count-rows']);
  });

  test('that is refused lifts the fence, if one was begun, and nothing else', () => {
    expect(idsOf(killSwitch({ ...asPlanned, refused: true }))).toEqual([]);
    expect(idsOf(killSwitch({ ...asPlanned, refused: true, fenceBegun: true }))).toEqual(['lift-fence']);
  });
});

describe('the undo of RM-11', () => {
  test('leaves the app on PostgreSQL, as the owner, without a fence', () => {
    expect(idsOf(undoRm11(asPlanned))).toEqual([
      'read-seal',
      'survey-way-back',
      'settle-dynos',
      'flag-off',
      'restart-undo',
      'smoke-undo',
      'verify-owner-sessions',
      'revoke-grants',
      'unbind-url',
      'drop-credential',
      'restart-unbound',
    ]);
  });

  test('needs the database: it tolerates nothing', () => {
    for (const item of undoRm11(asPlanned)) expect(item.kind === 'step' ? (item.tolerates ?? []) : []).toEqual([]);
  });

  test('that is refused does nothing', () => {
    expect(undoRm11({ ...asPlanned, refused: true })).toEqual([]);
  });
});

test('what a way back takes down goes on when one of it fails; a person decides about that in the end', () => {
  for (const items of [killSwitch(asPlanned), undoRm11(asPlanned)]) {
    const later = items.filter((item) => item.kind === 'step' && item.onFailure === 'later');
    expect(idsOf(later)).toEqual(['revoke-grants', 'unbind-url', 'drop-credential']);
  }
});

describe('as the items of a run', () => {
  const killed = (...path: RunEvent[]): RunState =>
    walk(...preflight, ...passed('go'), ...done('confirm'), started('upgrade'), events.killed, ...path);

  test('it begins with the seal, whatever the run was doing', () => {
    expect(nextItem(killed())?.id).toBe('read-seal');
    const alone = walkFor({ app: 'an-app', requestedBy: 'Rita', mode: 'undo-rm-11', reason: 'so' }, read);
    expect(nextItem(alone)?.id).toBe('read-seal');
  });

  test('a step that was given up is gone by, and left over where a person has to decide', () => {
    const tolerated = killed(started('read-seal'), { ...events.stepGivenUp, step: 'read-seal' });
    expect(nextItem(tolerated)?.id).toBe('survey-way-back');
    expect(leftOver(tolerated)).toBeUndefined();
    const undone = killed(started('revoke-grants'), { ...events.stepGivenUp, step: 'revoke-grants' });
    expect(leftOver(undone)?.id).toBe('revoke-grants');
  });

  test('a URL that is taken away late is waited for once more: its release starts new dynos', () => {
    const rest = stepsBefore('revoke-grants').flatMap((step) => done(step));
    const givenUp: RunEvent[] = [started('unbind-url'), { ...events.stepGivenUp, step: 'unbind-url' }];
    const path = [
      ...rest,
      ...done('revoke-grants'),
      ...givenUp,
      ...done('drop-credential'),
      ...done('restart-unbound'),
    ];
    expect(nextItem(killed(...path))).toBeUndefined();
    const late = [
      ...path,
      failed('unbind-url'),
      { ...events.resolved, step: 'unbind-url' } as RunEvent,
      started('unbind-url', 2),
      ...done('unbind-url').slice(1),
    ];
    expect(nextItem(killed(...late))?.id).toBe('restart-unbound');
    expect(nextItem(killed(...late, ...done('restart-unbound')))).toBeUndefined();
  });

  test('refused, it lifts the fence only where one was begun', () => {
    expect(nextItem(killed(events.rollbackRefused))).toBeUndefined();
    expect(nextItem(killed(...done('fence'), events.rollbackRefused))?.id).toBe('lift-fence');
    expect(nextItem(killed(started('fence'), events.rollbackRefused))?.id).toBe('lift-fence');
  });
});
