import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Runtime, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { quietRuntime } from '../workflow/harness.ts';
import { bundleChanged, swapped, type Edit } from './changed-code.ts';
import { recorded, replayOn, textOf } from './recorded.ts';

interface Change extends Edit {
  /** The activity that the histories have where the changed code schedules the other one first. */
  readonly kept: string;
  readonly scheduled: string;
  /** What was recorded of the kind of run: started for it and on its way, whole and carried on. */
  readonly histories: readonly string[];
}

const checkBackup = `{ kind: 'step', id: 'check-backup', phase: 'watch', needs: ['backup'] },`;

/** What somebody might do to the sequence of each kind of run, each of them an end of the runs that are open. */
const changes: Readonly<Record<string, Change>> = {
  'a step more in the cutover': {
    file: 'sop.ts',
    from: checkBackup,
    to: `{ kind: 'step', id: 'read-seal', phase: 'watch' }, ${checkBackup}`,
    kept: 'checkBackup',
    scheduled: 'readSeal',
    histories: ['completed.1.json', 'continued-as-new.5.json'],
  },
  'two steps of the kill switch swapped': {
    ...swapped(
      'way-back.ts',
      `{ kind: 'step', id: 'settle-dynos', phase: 'way-back' },`,
      `{ kind: 'step', id: 'fence', phase: 'way-back', needs: ['formation'] },`,
    ),
    kept: 'settleDynos',
    scheduled: 'raiseFence',
    histories: ['kill-switch-alone.1.json', 'killed-in-the-watch.1.json'],
  },
  'two steps of the undo swapped': {
    ...swapped(
      'way-back.ts',
      `{ kind: 'step', id: 'flag-off', phase: 'way-back' },`,
      `{ kind: 'step', id: 'restart-undo', phase: 'way-back' },`,
    ),
    kept: 'unsetFlag',
    scheduled: 'restartDynos',
    histories: ['undo-alone.1.json', 'undone-and-escalated.1.json'],
  },
  'the halves of the rehearsal in a soak swapped': {
    ...swapped('soak-sequence.ts', '...backAndForth()', '...again({ ...known, promoting: true })', ', '),
    kept: 'readSeal',
    scheduled: 'promoteDatabase',
    histories: ['soaked.1.json', 'soaked-anew.2.json'],
  },
  'two steps of the rotation swapped': {
    ...swapped(
      'rotation-sequence.ts',
      `{ kind: 'step', id: 'restart-rotated', phase: 'rotation', needs: ['sinceRotated'] },`,
      `{ kind: 'step', id: 'smoke-rotated', phase: 'rotation', asRole },`,
    ),
    kept: 'restartDynos',
    scheduled: 'runSmoke',
    histories: ['rotated.1.json', 'rotated-in-the-watch.1.json', 'rotation-carried-on.5.json'],
  },
};
const broken = Object.entries(changes).flatMap(([what, { histories, kept, scheduled }]) =>
  histories.map((file) => ({ what, file, kept, scheduled })),
);
/** Runs of every kind that never come to what was changed, or are past it. */
const unharmed = ['aborted.1.json', 'killed-before-writing.1.json', 'soaked-anew.3.json', 'rotation-rejected.1.json'];

/** The step more in the cutover once again, as CONTRIBUTING.md says how to bring it among open runs. */
const patched: readonly Edit[] = [
  {
    file: 'life-cycle.ts',
    from: 'initialState(started.input, Date.now(), workflowType)',
    to: `{ ...initialState(started.input, Date.now(), workflowType), readsSeal: patched('read-seal') }`,
  },
  { file: 'life-cycle.ts', from: 'CancellationScope, setHandler,', to: 'CancellationScope, patched, setHandler,' },
  {
    file: 'state.ts',
    from: 'continued: z.number().int(),',
    to: 'continued: z.number().int(), readsSeal: z.boolean().optional(),',
  },
  { file: 'procedures.ts', from: 'promoting: state', to: 'readsSeal: state.readsSeal, promoting: state' },
  {
    file: 'sop.ts',
    from: checkBackup,
    to: `...when(known.readsSeal === true, { kind: 'step', id: 'read-seal', phase: 'watch' }), ${checkBackup}`,
  },
];

let copied: WorkflowBundleWithSourceMap;
let changed: WorkflowBundleWithSourceMap;
beforeAll(async () => {
  quietRuntime();
  copied = await bundleChanged([]);
  changed = await bundleChanged(Object.values(changes));
});

afterAll(() => Runtime.instance().shutdown());

async function replay(bundle: WorkflowBundleWithSourceMap, file: string): Promise<Error | undefined> {
  const kept = recorded.findLast((one) => one.file === file);
  if (kept === undefined) throw new Error(`${file} was not recorded`);
  return replayOn(bundle, file, textOf(kept));
}

describe('workflow code that was changed does not replay what was recorded before', () => {
  test.each(broken)('$what: $file', async ({ file, kept, scheduled }) => {
    expect(await replay(copied, file)).toBeUndefined();
    const error = await replay(changed, file);
    expect(error).toMatchObject({ name: 'DeterminismViolationError' });
    // It is this change that was found, and none of the others.
    expect(error?.message).toContain(`'${kept}'`);
    expect(error?.message).toContain(`'${scheduled}'`);
  });

  test.each(unharmed)('but it replays %s, which none of it concerns', async (file) => {
    expect(await replay(changed, file)).toBeUndefined();
  });
});

test('behind `patched` it replays what was recorded before', async () => {
  const bundle = await bundleChanged(patched);
  for (const { file } of broken) {
    expect([file, await replay(bundle, file)]).toEqual([file, undefined]);
  }
});

test('a change that does not find its place is told', async () => {
  const nowhere = { file: 'sop.ts', from: 'a step that nobody has written', to: '' };
  await expect(bundleChanged([nowhere])).rejects.toThrow(/workflows\/sop.ts has this 0 times, not once/);
});
