import { describe, expect, test } from '@jest/globals';
import { approvalsBlock, duration, nameKey } from '../../../workflows/policy.ts';

const mistakesOf = (block: unknown): string[] =>
  (approvalsBlock.safeParse(block).error?.issues ?? []).map((issue) => `${issue.path.join('.')} ${issue.message}`);

describe('the block approvals of a target file', () => {
  test('is four-eyes, unless it says otherwise', () => {
    expect(approvalsBlock.parse({ approvers: ['Ada'] })).toEqual({
      preset: 'four-eyes',
      approvers: ['Ada'],
      onCall: [],
      quorum: 1,
      allowSelfApproval: false,
      expiresAfterMs: 12 * 3_600_000,
      remindEveryMs: 30 * 60_000,
      coolingOffMs: 0,
      typedConfirmation: false,
      requireVerifiedIdentity: false,
    });
  });

  test('of a company of one has a typed confirmation and a cooling-off time in the place of a second person', () => {
    expect(approvalsBlock.parse({ preset: 'solo', approvers: ['Rita'] })).toMatchObject({
      quorum: 1,
      allowSelfApproval: true,
      coolingOffMs: 300_000,
      typedConfirmation: true,
    });
    expect(approvalsBlock.parse({ preset: 'solo', approvers: ['Rita'], coolingOff: '1h' }).coolingOffMs).toBe(
      3_600_000,
    );
  });

  test.each<[string, unknown, RegExp]>([
    ['nobody who approves', { approvers: [] }, /^approvers /],
    ['the same person twice', { approvers: ['Ada', ' ada '] }, /^approvers names somebody twice/],
    [
      'a quorum that nobody can fill',
      { approvers: ['Ada'], quorum: 2 },
      /^quorum asks for 2 people, and only 1 may approve/,
    ],
    [
      'four eyes that are two',
      { approvers: ['Ada'], allowSelfApproval: true },
      /^allowSelfApproval is what four-eyes rules out/,
    ],
    [
      'a company of one with a quorum',
      { preset: 'solo', approvers: ['A', 'B'], quorum: 2 },
      /^quorum is 1 with the preset solo/,
    ],
    ['a time without a unit', { approvers: ['Ada'], expiresAfter: '12' }, /^expiresAfter a length of time/],
    ['a field that nobody knows', { approvers: ['Ada'], approver: 'Ada' }, /approver/],
  ])('%s is a mistake', (_, block, says) => {
    expect(mistakesOf(block)).toEqual([expect.stringMatching(says)]);
  });
});

test.each([
  ['30s', 30_000],
  ['15m', 900_000],
  ['8h', 28_800_000],
  ['3d', 259_200_000],
])('%s is %i milliseconds', (text, ms) => {
  expect(duration.parse(text)).toBe(ms);
});

test.each(['0m', '-1h', '1.5h', '1 h', 'h', '', '1w', '100000s'])('%j is no length of time', (text) => {
  expect(duration.safeParse(text).success).toBe(false);
});

test('names are compared as people type them', () => {
  expect(nameKey('  Zoë O’Neil ')).toBe(nameKey('zoë o’neil'));
  expect(nameKey('Ada')).not.toBe(nameKey('Adam'));
});
