import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { checkStart, type StartFacts, type StartProblem } from '../../../workflows/input.ts';

const input = { app: 'an-app', requestedBy: 'Rita' };
const start: StartFacts = { workflowType: 'productionCutover', workflowId: 'cutover-an-app' };

describe('accepted', () => {
  test.each<[string, unknown, Partial<StartFacts>]>([
    ['the app and who asks', input, {}],
    ['a cutover by name', { ...input, mode: 'cutover' }, {}],
    ['a plan', { ...input, mode: 'plan' }, {}],
    ['a kill switch with its reason', { ...input, mode: 'kill-switch', reason: 'it is wedged' }, {}],
    ['an undo with its reason', { ...input, mode: 'undo-rm-11', reason: 'it is wedged' }, {}],
    [
      'options that are not set',
      input,
      { executionTimeoutMs: undefined, runTimeoutMs: 0, retryPolicy: undefined, cronSchedule: '' },
    ],
  ])('%s', (_, given, facts) => {
    expect(checkStart(given, { ...start, ...facts })).toEqual({ input: given });
  });

  test('a name is trimmed', () => {
    expect(checkStart({ ...input, requestedBy: '  Rita ' }, start)).toEqual({ input });
  });
});

describe('refused', () => {
  const refused: [string, StartProblem['type'], RegExp, unknown, Partial<StartFacts>][] = [
    ['approvers', 'InputInvalid', /approvers/, { ...input, approvers: ['Mallory'] }, {}],
    ['commands', 'InputInvalid', /commands/, { ...input, commands: { upgrade: 'rm -rf /' } }, {}],
    ['a url', 'InputInvalid', /url/, { ...input, url: 'https://evil.example' }, {}],
    ['a target', 'InputInvalid', /target/, { ...input, target: {} }, {}],
    ['every extra key at once', 'InputInvalid', /'policy', 'quorum'/, { ...input, policy: 1, quorum: 0 }, {}],
    ['no app', 'InputInvalid', /app: Required/, { requestedBy: 'Rita' }, {}],
    ['no name', 'InputInvalid', /requestedBy: Required/, { app: 'an-app' }, {}],
    ['nothing', 'InputInvalid', /app: Required; requestedBy: Required/, {}, {}],
    ['an empty name', 'InputInvalid', /requestedBy/, { ...input, requestedBy: '   ' }, {}],
    ['a name without end', 'InputInvalid', /requestedBy/, { ...input, requestedBy: 'R'.repeat(101) }, {}],
    ['another mode', 'InputInvalid', /mode/, { ...input, mode: 'rotation' }, {}],
    ['a kill switch without a reason', 'InputInvalid', /reason: is missing/, { ...input, mode: 'kill-switch' }, {}],
    ['an undo without a reason', 'InputInvalid', /reason: /, { ...input, mode: 'undo-rm-11', reason: ' ' }, {}],
    ['a way out of the folder', 'InputInvalid', /an app name/, { ...input, app: '../secrets' }, {}],
    ['capitals', 'InputInvalid', /an app name/, { ...input, app: 'An-App' }, {}],
    ['too short an app', 'InputInvalid', /an app name/, { ...input, app: 'ab' }, {}],
    ['too long an app', 'InputInvalid', /an app name/, { ...input, app: 'a'.repeat(31) }, {}],
    ['null', 'InputInvalid', /input: /, null, {}],
    ['no input', 'InputInvalid', /input: /, undefined, {}],
    ['a string', 'InputInvalid', /input: /, 'an-app', {}],
    ['an array', 'InputInvalid', /input: /, [input], {}],
    ['another id', 'WorkflowIdMismatch', /expected cutover-an-app/, input, { workflowId: 'cutover-other-app' }],
    ['a longer id', 'WorkflowIdMismatch', /expected cutover-an-app/, input, { workflowId: 'cutover-an-app-2' }],
    ['an execution timeout', 'WorkflowOptionsRefused', /with --execution-timeout\./, input, { executionTimeoutMs: 1 }],
    ['a run timeout', 'WorkflowOptionsRefused', /with --run-timeout\./, input, { runTimeoutMs: 1 }],
    ['a retry policy', 'WorkflowOptionsRefused', /with a workflow retry policy\./, input, { retryPolicy: {} }],
    ['a cron schedule', 'WorkflowOptionsRefused', /with --cron\./, input, { cronSchedule: '0 3 * * *' }],
    [
      'several options at once',
      'WorkflowOptionsRefused',
      /with --execution-timeout and --run-timeout and --cron\./,
      input,
      { executionTimeoutMs: 1, runTimeoutMs: 1, cronSchedule: '* * * * *' },
    ],
  ];
  test.each(refused)('%s: %s', (_, type, message, given, facts) => {
    const checked = checkStart(given, { ...start, ...facts });
    expect(checked).toEqual({ problem: { type, message: expect.stringMatching(message) } });
    // Each says that nothing happened and what to do.
    expect(JSON.stringify(checked)).toMatch(/Nothing was changed; start again/);
  });
});

describe('what looks like a credential is refused, and not repeated', () => {
  const token = randomBytes(20).toString('hex');
  const url = `postgres://owner:${token}@db.example/app`;
  test.each<[string, string, RegExp, unknown]>([
    ['a URL for a name', url, /a URL with a password in requestedBy;/, { ...input, requestedBy: url }],
    ['a token for an app', `HRKU-${token}`, /a Heroku token in app;/, { ...input, app: `HRKU-${token}` }],
    ['an older key', randomUUID(), /a UUID.* in requestedBy;/, {}],
    [
      'a field of its own',
      `ghp_${token}`,
      /a GitHub token in another field;/,
      { ...input, note: { deep: [`ghp_${token}`] } },
    ],
    [
      'a word in a field that says what it is',
      'hunter2',
      /a named password or token in another field;/,
      { ...input, dbPassword: 'hunter2' },
    ],
    ['the name of a field', url, /in the name of a field;/, { ...input, [url]: 1 }],
    ['a bare text', url, /in the input itself;/, url],
  ])('%s', (what, secret, says, given) => {
    const sent = what === 'an older key' ? { ...input, requestedBy: secret } : given;
    const checked = checkStart(sent, start);
    expect(checked).toEqual({ problem: { type: 'InputHoldsSecret', message: expect.stringMatching(says) } });
    const told = JSON.stringify(checked);
    expect(told).toMatch(/rotate it now.*Nothing was changed; start again/);
    expect(told).not.toContain(token);
    expect(told).not.toContain(secret);
  });

  test('in the workflow id too', () => {
    const checked = checkStart(input, { ...start, workflowId: `cutover-${token}` });
    expect(checked).toMatchObject({ problem: { type: 'InputHoldsSecret' } });
    expect(JSON.stringify(checked)).not.toContain(token);
  });
});
