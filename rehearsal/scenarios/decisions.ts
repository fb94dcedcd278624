import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Scenario } from '../scenarios.ts';
import { person } from './heroku-person.ts';
import { expectDid, expectEvents, expectNotBegun, isAt, isParked } from './expect.ts';
import { message, resolve } from './messages.ts';

const rm11 = ['credential', 'bind-url', 'grants', 'flag'];

const brokenSmoke = (dir: string): Promise<void> =>
  writeFile(path.join(dir, 'smoke.py'), 'raise SystemExit("the order book answers 500")\n');

/** What becomes of a run in which people, time or the target do not go along. */
export const decisions = {
  rejected: {
    summary: 'an approver says no to the plan, and the run is ended; nothing was changed',
    options: {},
    people: [
      {
        told: 'the plan is rejected',
        when: isAt('go'),
        act: message('reject', ({ message: asked, from }) => ({
          ...asked,
          by: from[0],
          reason: 'not before the weekend',
        })),
      },
      { told: 'and the run is ended', when: isParked('go'), act: resolve('abort') },
    ],
    ends: 'aborted',
    serves: null,
    judge: (status) => expectEvents(status, ['rejected']) ?? expectNotBegun(status, ['upgrade', ...rm11]),
  },
  'smoke-fails': {
    summary: 'the smoke suite fails after the upgrade: the run is parked before RM-11, and ended',
    options: { alterSlug: brokenSmoke },
    people: [{ told: 'the run is ended where it stands', when: isParked('smoke'), act: resolve('abort') }],
    ends: 'aborted',
    serves: 'owner',
    judge: (status) =>
      expectDid(status, { upgrade: 'acted' }) ?? expectNotBegun(status, ['bind-url', 'grants', 'flag']),
  },
  drift: {
    summary: "somebody changes a config var behind the runbook's back: what was approved is asked again",
    options: {},
    people: [
      {
        told: 'somebody sets LOG_LEVEL in the meantime',
        when: isAt('rm-11'),
        act: ({ platform, app }) => person(platform).setConfigVars(app.herokuApp, { LOG_LEVEL: 'debug' }),
        andAnswer: true,
      },
    ],
    judge: (status) => expectEvents(status, ['voided']) ?? expectDid(status, { grants: 'acted', flag: 'acted' }),
  },
  expired: {
    summary: 'nobody answers before the plan expires: it is made and asked again',
    target: { approvals: { preset: 'four-eyes', approvers: ['Ada', 'Bo'], expiresAfter: '15s' } },
    options: {},
    people: [{ told: 'nobody is there to answer', when: isAt('go'), act: () => Promise.resolve() }],
    judge: (status) => expectEvents(status, ['voided']) ?? expectDid(status, { upgrade: 'acted', flag: 'acted' }),
  },
  solo: {
    summary: "a company of one: the requester approves, typing the app's name, with time to think better of it",
    target: { approvals: { preset: 'solo', approvers: ['Rehearsal Operator', 'Rita'], coolingOff: '2s' } },
    options: {},
    judge: (status) =>
      status.journal.some((entry) => entry.text.includes('single-person approval'))
        ? expectDid(status, { upgrade: 'acted', flag: 'acted' })
        : 'the record does not say that one person approved alone',
  },
} as const satisfies Record<string, Scenario>;
