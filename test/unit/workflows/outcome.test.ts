import { describe, expect, test } from '@jest/globals';
import { outcomeOf, stoppedBy } from '../../../workflows/outcome.ts';
import { events } from './events.ts';
import { done, preflight, read, passed, started, walk, walkFor, walkOn, walkTo } from './walk.ts';

const toUpgrade = [...preflight, ...passed('go'), ...done('confirm'), ...done('upgrade')];
const abort = { kind: 'abort', by: 'Ada', reason: 'not tonight' } as const;

describe('a procedure that is done', () => {
  test('a cutover is completed, and what failed without being in the way is named', () => {
    const launched = walkOn(walkTo('open-follow-ups'), started('open-follow-ups'));
    expect(outcomeOf(walkOn(launched, { ...events.stepGivenUp, step: 'open-follow-ups' }))).toEqual({
      result: 'completed',
      by: null,
      reason:
        'Every step is done and verified, and the database is sealed. Failed, and not in the way: open-follow-ups (PlatformRefused).',
    });
  });

  test('a plan has changed nothing', () => {
    expect(outcomeOf(walkFor({ app: 'an-app', requestedBy: 'Rita', mode: 'plan' }, read))).toMatchObject({
      result: 'planned',
      reason: 'Everything was read and nothing was changed.',
    });
  });

  test.each([
    ['kill-switch', 'rolled-back', /The app serves on SQLite: customers wait\./],
    ['undo-rm-11', 'undone', /RM-11 is undone: customers wait\./],
  ] as const)('%s is %s, by whoever asked for it', (kind, result, reason) => {
    expect(outcomeOf(walk(...toUpgrade, { ...events.killed, kind }))).toMatchObject({
      result,
      by: 'Kim',
      reason: expect.stringMatching(reason),
    });
  });
});

describe('a run that a person stops', () => {
  test('says what is in place and what is not known', () => {
    expect(stoppedBy(walk(...toUpgrade, started('restart')), abort)).toEqual({
      result: 'aborted',
      by: 'Ada',
      reason: 'not tonight. In place: upgrade. Interrupted, so not known until looked at: restart.',
    });
  });

  test('before the first write says that there is nothing to take back', () => {
    const { reason } = stoppedBy(walk(...preflight), { ...abort, kind: 'kill-switch' });
    expect(reason).toBe(
      'not tonight. This run had not begun to write, so there was nothing to take back. In place: nothing was changed.',
    );
  });

  test('on the way back names the first failure and every failed undo', () => {
    const state = walk(
      ...toUpgrade,
      started('restart'),
      { ...events.stepFailed, step: 'restart', failure: { type: 'DynosCrashed', message: 'again and again' } },
      events.killed,
      started('revoke-grants'),
      { ...events.stepGivenUp, step: 'revoke-grants' },
      ...done('unbind-url'),
      started('drop-credential'),
      { ...events.stepGivenUp, step: 'drop-credential' },
    );
    expect(stoppedBy(state, abort).reason).toMatch(
      /Failed: restart \(DynosCrashed\); revoke-grants \(PlatformRefused\); drop-credential \(PlatformRefused\)\.$/,
    );
  });
});
