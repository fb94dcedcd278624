import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Runtime, type WorkerOptions } from '@temporalio/worker';
import { buildWorkflowBundle } from '../../worker/bundle.ts';
import type { Status } from '../../workflows/view.ts';
import { quietRuntime } from '../workflow/harness.ts';
import { behaviours } from './behaviours.ts';
import { behaviourOf, recorded, replayOn, textOf } from './recorded.ts';

let workflowBundle: NonNullable<WorkerOptions['workflowBundle']>;
beforeAll(async () => {
  quietRuntime();
  const codePath = process.env['RC_TEST_WORKFLOW_BUNDLE'];
  workflowBundle = codePath === undefined ? await buildWorkflowBundle() : { codePath };
});

afterAll(() => Runtime.instance().shutdown());

/** Replays a history with the workflow code as it is now; answers what went wrong. */
const replay = (file: string, text: string): Promise<Error | undefined> => replayOn(workflowBundle, file, text);

test.each(recorded)('$release $file replays', async (kept) => {
  expect(await replay(kept.file, textOf(kept))).toBeUndefined();
});

test('every behaviour has its history, and each ended as its name says', () => {
  for (const [name, { ends, result }] of Object.entries(behaviours)) {
    const chain = recorded
      .filter(({ file }) => behaviourOf(file) === name)
      .sort((a, b) => a.file.localeCompare(b.file));
    const last = chain.at(-1);
    if (last === undefined) throw new Error(`${name} was not recorded: node --import tsx test/replay/record.ts`);
    const { events } = JSON.parse(textOf(last)) as { events: Record<string, unknown>[] };
    const end = events.at(-1)?.[ends] as { result?: { payloads?: { data: string }[] } } | undefined;
    const data = end?.result?.payloads?.[0]?.data ?? '';
    const outcome = data === '' ? undefined : (JSON.parse(Buffer.from(data, 'base64').toString()) as Status).outcome;
    expect([name, end !== undefined, outcome?.result]).toEqual([name, true, result]);
  }
  expect(recorded.filter(({ file }) => behaviourOf(file) === 'continued-as-new').length).toBeGreaterThanOrEqual(4);
});

describe('a history that the code would not have made does not replay', () => {
  const mutations: Record<string, (text: string) => string> = {
    'another activity in the place of a step': (text) => text.replaceAll('"upgradeSchema"', '"verifySchema"'),
    'an approval that was never sent': (text) => text.replace('"signalName":"approve"', '"signalName":"resolve"'),
  };
  test.each(Object.entries(mutations))('%s', async (_, mutate) => {
    const kept = recorded.find(({ file }) => file === 'completed.1.json');
    if (kept === undefined) throw new Error('completed was not recorded');
    const text = textOf(kept);
    const mutated = mutate(text);
    expect(mutated).not.toBe(text);
    expect(await replay(kept.file, mutated)).toMatchObject({ name: 'DeterminismViolationError' });
  });
});
