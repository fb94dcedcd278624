import { fetchRuns } from '../audit/fetch-history.ts';
import { recordOf } from '../audit/record-files.ts';
import { verifyRecord } from '../audit/verify.ts';
import { orAborted } from '../rehearsal/start/abort.ts';
import type { Case } from './case.ts';
import { certificateTexts } from './certificates.ts';
import { disturbing, together, type Scene } from './disturb.ts';
import { effectsOf } from './effects.ts';
import { findLeaks, textOf } from './leaks.ts';
import { play } from './people.ts';
import { randomOf } from './random.ts';
import type { Seen } from './seen.ts';
import { setStage, type Place, type Run, type Stage } from './stage.ts';
import { starts } from './starts.ts';
import { startMortalWorkers, type MortalWorkers } from './workers/mortal-workers.ts';
import { lookAt } from './world.ts';
import { writesOf } from './writes.ts';

/**
 * Performs cases in one run, on an app of their own, and looks at everything that they left.
 *
 * @param cases one, or several of one procedure that go together
 * @throws Error where the run does not come to an end
 */
export async function perform(cases: readonly [Case, ...Case[]], seed: number, place: Place): Promise<Seen> {
  const { signal } = place;
  const [one] = cases;
  const random = randomOf(seed, one.id);
  const each = cases.map((other) => disturbing(other, randomOf(seed, other.id)));
  const disturbance = together(each);
  let workers: MortalWorkers | undefined;
  const { staged, begin } = starts[one.procedure];
  const stage = await setStage(one.id.replaceAll('/', '_'), place, {
    intercept: disturbance.intercept(() => workers?.diary() ?? []),
    ownTemporal: disturbance.ownTemporal,
    ...(staged ? { staged } : {}),
  });
  try {
    workers = await startMortalWorkers(stage, disturbance.plan, disturbance.workersAtOnce);
    const run = await orAborted(signal, begin(stage, signal, random));
    const scene: Scene = { stage, workers, run, signal };
    const ended = new AbortController();
    const beside = disturbance.beside({ ...scene, signal: AbortSignal.any([signal, ended.signal]) });
    beside.catch(() => undefined);
    const status = await orAborted(
      signal,
      play(
        stage,
        run,
        signal,
        disturbance.meddle(() => scene),
      ),
    );
    const diary = workers.diary();
    const absent = cases.filter((_, index) => each[index]?.happened(diary) !== true);
    ended.abort(new Error('the run has ended'));
    await beside.catch((error: unknown) => {
      if (!ended.signal.aborted) throw error;
    });
    const outages = each.flatMap(({ outages: those }) => those());
    return { case: one, cases, status, absent, ...(await look(stage, run)), diary, outages };
  } finally {
    await workers?.stop();
    await stage.stop();
  }
}

type Looked = Pick<Seen, 'world' | 'writes' | 'effects' | 'leaks' | 'record' | 'records' | 'findings'>;

async function look(stage: Stage, run: Run): Promise<Looked> {
  const { platform, app } = stage;
  const records = [];
  for (const { workflowId, firstExecutionRunId } of stage.runs) {
    const runs = await fetchRuns(stage.client, workflowId, firstExecutionRunId);
    records.push({ id: firstExecutionRunId, workflowId, runs, ...recordOf(runs, workflowId) });
  }
  const mine = records.find(({ id }) => id === run.firstExecutionRunId);
  if (mine === undefined) throw new Error('the run was not started here');
  const secrets = stage.secrets();
  if (secrets.length === 0) throw new Error('there is no secret that could be found');
  // As the server has them, and what a run has continued as, too.
  const histories = records.flatMap(({ workflowId, runs }, index) =>
    runs.map(async ({ runId }) => ({
      name: `the history of run ${index + 1}`,
      text: textOf(await stage.client.workflow.getHandle(workflowId, runId).fetchHistory()),
    })),
  );
  const written = records.map(({ files }, index) => ({ name: `record ${index + 1}`, text: files['record.html'] }));
  const signed = (await certificateTexts(stage.certificates, app.herokuApp)).map((text, index) => ({
    ...{ name: `certificate ${index + 1}`, text },
  }));
  return {
    world: await lookAt(stage),
    writes: writesOf(platform, app.herokuApp),
    effects: await effectsOf(platform.postgres),
    leaks: findLeaks([...(await Promise.all(histories)), ...written, ...signed], secrets),
    record: mine.record,
    records: records.map(({ record }) => record),
    findings: records.flatMap(({ files }) => verifyRecord(files)),
  };
}
