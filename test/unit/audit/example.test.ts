import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from '@jest/globals';
import { recordFormat, type AuditRecord } from '../../../audit/record-schema.ts';
import { readFolder, type RecordFiles } from '../../../audit/record-files.ts';
import { release } from '../../../audit/release.ts';
import { verifyRecord } from '../../../audit/verify.ts';
import { cutoverSteps } from '../../../workflows/cutover-steps.ts';
import { launchSteps } from '../../../workflows/launch-steps.ts';

// Where one of these fails, `npm run audit:example` writes the example anew.

let files: RecordFiles;
let record: AuditRecord;
beforeAll(async () => {
  const { signature: _, ...read } = await readFolder(
    fileURLToPath(new URL('../../../docs/examples/record', import.meta.url)),
  );
  files = read;
  record = JSON.parse(read['record.json'] ?? '') as AuditRecord;
});

test('the example holds, and is as this release writes records', () => {
  expect(verifyRecord(files)).toEqual([]);
  expect(record).toMatchObject({ format: recordFormat, writtenBy: release, unreadable: 0 });
});

test('it is of the cutover as it is today, from the first step to the launch', () => {
  const told = record.summary.steps.map(({ step }) => step);
  // A promotion was not needed, and nobody had to wait long enough for a sample of the watch.
  const absent = ['promote', 'watch-sample'];
  const steps = Object.keys({ ...cutoverSteps, ...launchSteps });
  expect(told.filter((step) => !steps.includes(step))).toEqual([]);
  expect(steps.filter((step) => !told.includes(step) && !absent.includes(step))).toEqual([]);
  expect(record.summary).toMatchObject({ status: 'completed', result: 'completed', unsettled: [], unanswered: [] });
});

/** The section of record.md under a heading. */
const under = (heading: string): string =>
  (files['record.md'] ?? '').split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';

test('who reads the text alone learns who approved what and when, and on which evidence', () => {
  const approvals = under('Who approved what, and on which evidence');
  expect(record.summary.decisions.map(({ gate }) => gate)).toEqual(['go', 'rm-11', 'launch']);
  for (const { gate, who, at, plan } of record.summary.decisions) {
    const line = approvals.split('\n').find((one) => one.includes(`approved the gate ${gate}`)) ?? '';
    expect(line).toContain(`| ${at.slice(0, 10)} ${at.slice(11, 19)} UTC | ${who.claimed} |`);
    expect(line).toContain(plan?.slice(0, 12));
    expect(approvals).toContain(`### The plan \`${plan?.slice(0, 12)}\``);
    expect(approvals).toContain(plan);
  }
  expect(approvals).toMatch(/- migrations: .*pending: .*0002_paper_orders/);
});

test('what changed in which release, what was undone, and what is in place now', () => {
  const changed = under('What changed in production');
  expect(changed).toMatch(/`bind-url` \| Bind the credential's URL to its variable \| done \| v\d+ \|/);
  expect(changed).toMatch(/`flag` .* \| done \| v\d+ \|/);
  expect(changed).toMatch(/- `upgrade`: from: none; to: \S+; applied: .*0002_paper_orders/);
  expect(under('What was undone')).toContain('Nothing was undone.');
  const inPlace = under('What is in place now');
  expect(inPlace).not.toMatch(/`(restart|smoke)/);
  for (const step of ['credential', 'upgrade', 'bind-url', 'grants', 'flag', 'seal']) {
    expect(inPlace).toMatch(new RegExp(`\\| \`${step}\` \\|.* \\| this run \\|`));
  }
});
