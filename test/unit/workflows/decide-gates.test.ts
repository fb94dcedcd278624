import { describe, expect, test } from '@jest/globals';
import { decide } from '../../../workflows/decide.ts';
import { gateIds } from '../../../workflows/facts.ts';
import { sampleEvidence, sampleFacts } from '../../workflow/sample-evidence.ts';
import { soloPolicy } from '../../workflow/sample-target.ts';
import { after, readingPolicy, signalled, whyRefused } from './deciding.ts';
import { events } from './events.ts';
import { approved, digestOf, done, failed, opened, passed, read, started, walk } from './walk.ts';

const digest = digestOf('go');
const good = { gate: 'go', by: 'Ada', plan: digest };
const atGo = walk(read, opened('go'));
const approve = (payload: unknown) => signalled('approve', payload);
const reject = (payload: unknown) => signalled('reject', payload);
const launch = (payload: unknown) => signalled('launch', payload);

describe('approve', () => {
  test.each([64, 40, 12])('the open gate with the first %i digits of its digest decides it', (length) => {
    expect(decide(atGo, approve({ ...good, plan: digest.slice(0, length) }), 5)).toEqual({
      by: 'Ada',
      events: [approved('go'), { type: 'decided', gate: 'go' }],
    });
  });

  test('names are trimmed, and compared without regard to case; they are kept as they were given', () => {
    expect(after(atGo, approve({ ...good, by: '  aDa ' })).gates.go?.approvals).toMatchObject([{ by: 'aDa' }]);
  });

  const refused: [string, unknown, RegExp][] = [
    ['no name', { gate: 'go', plan: digest }, /by: Required/],
    ['the name as it was printed', { ...good, by: '<your name>' }, /by: a person's name in the place of/],
    ['an empty name', { ...good, by: '' }, /by: a person's name/],
    ['a name of blanks', { ...good, by: ' \t' }, /by: a person's name/],
    ['a name that is an object', { ...good, by: { name: 'Ada' } }, /by: /],
    ['a very long name', { ...good, by: 'A'.repeat(101) }, /by: /],
    ['somebody who is no approver', { ...good, by: 'Mallory' }, /Mallory is not among the approvers .*: Ada, Bo, Cy/],
    ['one who is only on call', { ...good, by: 'Kim' }, /not among the approvers/],
    ['the requester', { ...good, by: 'rita' }, /rita asked for this run, and the policy wants another person/],
    ['another gate', { ...good, gate: 'rm-11' }, /it is for the gate rm-11, and the open gate is go/],
    [
      'another digest',
      { ...good, plan: 'f'.repeat(64) },
      /it names the plan ffffffffffff, and the open plan is a1a1a1a1a1a1/,
    ],
    ['a digest with another end', { ...good, plan: `${digest.slice(0, 63)}0` }, /it names the plan/],
    ['too few digits', { ...good, plan: digest.slice(0, 11) }, /12 to 64 hex digits/],
    ['more digits than there are', { ...good, plan: `${digest}0` }, /12 to 64 hex digits/],
    ['capital digits', { ...good, plan: digest.toUpperCase() }, /12 to 64 hex digits/],
    ['no digest', { gate: 'go', by: 'Ada' }, /plan: Required/],
    ['an empty digest', { ...good, plan: '' }, /12 to 64 hex digits/],
    ['a field that nobody knows', { ...good, quorum: 0 }, /quorum/],
  ];
  test.each(refused)('%s is refused', (_, payload, why) => {
    expect(whyRefused(atGo, approve(payload))).toMatch(why);
  });

  test.each([
    ['working', walk(read)],
    ['parked', walk(read, started('smoke'), failed('smoke'))],
  ])('while the run is %s there is no gate to approve', (stage, state) => {
    expect(whyRefused(state, approve(good))).toBe(`no gate is open: the run is ${stage}`);
  });

  test('one that comes late is told who was first', () => {
    expect(whyRefused(walk(read, ...passed('go')), approve(good))).toBe('the gate go is decided: approved by Ada');
  });

  test('a gate whose plan has no digest cannot be approved', () => {
    expect(whyRefused(walk(read, opened('go', { digest: '' })), approve(good))).toMatch(/the open plan is $/);
  });

  test('a question that has expired is not answered any more', () => {
    const state = walk(read, opened('go', { expiresAt: 2_000 }));
    expect(whyRefused(state, approve(good), 2_000)).toBe('it has expired and is about to be asked anew');
    expect(after(state, approve(good), 1_999).gates.go?.decidedAt).toBe(1_999);
  });
});

describe('a quorum of two', () => {
  const state = walk(readingPolicy({ quorum: 2 }), opened('go'));
  const once = after(state, approve(good));

  test('is counted in people', () => {
    expect(once).toMatchObject({ stage: 'waiting', gates: { go: { decidedAt: null, approvals: [{ by: 'Ada' }] } } });
    expect(decide(state, approve(good), 5).events).toEqual([approved('go', { needed: 1 })]);
    expect(whyRefused(once, approve({ ...good, by: ' ADA' }))).toBe('ADA has approved it already');
    expect(after(once, approve({ ...good, by: 'Bo' })).gates.go).toMatchObject({
      decidedAt: 2_000,
      approvals: [{ by: 'Ada' }, { by: 'Bo' }],
    });
  });

  test('a rejection between the two ends it', () => {
    const rejected = after(once, reject({ ...good, by: 'Bo', reason: 'not tonight' }));
    expect(rejected).toMatchObject({ stage: 'parked', gates: { go: { rejection: { by: 'Bo' }, passedAt: null } } });
    expect(whyRefused(rejected, approve({ ...good, by: 'Cy' }))).toBe('no gate is open: the run is parked');
  });
});

describe('a company of one', () => {
  const state = walk(readingPolicy({ ...soloPolicy, coolingOffMs: 300_000 }), opened('go'));
  const typed = { ...good, by: 'Rita', confirm: 'an-app' };

  test("types the app's name", () => {
    const say = /whoever approves alone types the app's name: "confirm":"an-app"/;
    expect(whyRefused(state, approve({ ...typed, confirm: undefined }))).toMatch(say);
    expect(whyRefused(state, approve({ ...typed, confirm: 'An-App' }))).toMatch(say);
    expect(decide(state, approve(typed), 5).events).toEqual([
      approved('go', { by: 'Rita', alone: true }),
      { type: 'decided', gate: 'go' },
    ]);
  });

  test('may take it back in the cooling-off time', () => {
    const taken = after(after(state, approve(typed)), reject({ ...good, by: 'Rita', reason: 'a typo' }));
    expect(taken).toMatchObject({ stage: 'parked', gates: { go: { rejection: { by: 'Rita', reason: 'a typo' } } } });
  });
});

describe('a plan whose kill switch will not work', () => {
  const blocked = { ...sampleEvidence.survey, facts: { ...sampleFacts, killSwitchBlocked: 'its release command' } };
  const state = walk(read, ...done('survey', blocked), opened('go'));

  test('is approved only by whoever says that it was seen', () => {
    expect(whyRefused(state, approve(good))).toMatch(
      /the kill switch will not work: its release command\. .*"accepts":"no-kill-switch"/,
    );
    expect(whyRefused(state, approve({ ...good, accepts: 'whatever' }))).toMatch(/accepts/);
    expect(after(state, approve({ ...good, accepts: 'no-kill-switch' })).gates.go?.decidedAt).toBe(2_000);
  });
});

describe('a question that opens on no plan', () => {
  test.each(gateIds.filter((gate) => gate === 'window' || gate === 'uncounted-rows'))(
    '%s: an override needs a reason',
    (gate) => {
      const state = walk(read, opened(gate));
      const message = { gate, by: 'Ada', plan: digestOf(gate) };
      expect(whyRefused(state, approve(message))).toBe('an override needs a reason');
      expect(after(state, approve({ ...message, reason: 'it burns' })).gates[gate]?.approvals).toMatchObject([
        { by: 'Ada', reason: 'it burns' },
      ]);
    },
  );

  test('a rejection of rows that nobody could count refuses the way back, and not the run', () => {
    const state = walk(read, events.killed, opened('uncounted-rows'));
    const message = {
      gate: 'uncounted-rows',
      by: 'Ada',
      plan: digestOf('uncounted-rows'),
      reason: 'too much at stake',
    };
    expect(after(state, reject(message))).toMatchObject({
      stage: 'working',
      wayBack: { refused: { type: 'RowsUncounted', message: expect.stringContaining('too much at stake') } },
    });
  });
});

describe('reject', () => {
  const no = { ...good, reason: 'not tonight' };
  test.each(['Ada', 'Rita', 'Kim'])('%s may: the run is parked', (by) => {
    expect(after(atGo, reject({ ...no, by }))).toMatchObject({ stage: 'parked', at: { gate: 'go' } });
  });

  test.each<[string, unknown, RegExp]>([
    ['no reason', good, /reason: Required/],
    ['the reason as it was printed', { ...no, reason: '<why>' }, /a reason in the place of/],
    ['somebody else', { ...no, by: 'Mallory' }, /neither an approver nor on call/],
    ['another plan', { ...no, plan: 'f'.repeat(64) }, /it names the plan/],
    ['another gate', { ...no, gate: 'launch' }, /the open gate is go/],
  ])('%s is refused', (_, payload, why) => {
    expect(whyRefused(atGo, reject(payload))).toMatch(why);
  });
});

describe('launch', () => {
  const atLaunch = walk(read, opened('launch'));
  const backup = { id: 'b001', finishedAt: '2026-05-15T00:50:00Z' };
  const yes = { by: 'Ada', plan: digestOf('launch'), backup };

  test.each([backup, { continuousProtection: true }])('names what there is in the place of a way back: %j', (proof) => {
    expect(after(atLaunch, launch({ ...yes, backup: proof })).gates.launch).toMatchObject({
      decidedAt: 2_000,
      approvals: [{ by: 'Ada', backup: proof }],
    });
  });

  test.each<[string, unknown, RegExp]>([
    ['no backup', { ...yes, backup: undefined }, /backup/],
    ['a backup without a time', { ...yes, backup: { id: 'b001' } }, /backup/],
    ['the backup as it was printed', { ...yes, backup: { ...backup, id: '<backup>' } }, /backup/],
    ['protection that is none', { ...yes, backup: { continuousProtection: false } }, /backup/],
    ['both', { ...yes, backup: { ...backup, continuousProtection: true } }, /backup/],
    ['the requester', { ...yes, by: 'Rita' }, /wants another person/],
    ['another plan', { ...yes, plan: digest }, /it names the plan/],
  ])('%s is refused', (_, payload, why) => {
    expect(whyRefused(atLaunch, launch(payload))).toMatch(why);
  });

  test('is not to be had by approving, nor at another gate', () => {
    expect(whyRefused(atLaunch, approve({ gate: 'launch', by: 'Ada', plan: yes.plan }))).toMatch(
      /by the message launch/,
    );
    expect(whyRefused(atGo, launch({ ...yes, plan: digest }))).toBe(
      'it is for the gate launch, and the open gate is go',
    );
  });
});
