import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { expect } from '@jest/globals';
import type { RehearsedApp } from '../../rehearsal/apps.ts';
import { lookFromOutside } from '../../rehearsal/outside.ts';
import { createTargetStore } from '../../worker/targets.ts';
import { steps, type Evidence, type StepCall, type StepId, type StepResult } from '../../workflows/steps.ts';
import type { Rig } from './cutover-rig.ts';
import { eventually } from './heroku-client.ts';
import type { StepAnswer, StepOrder } from './step-process.ts';

const entry = fileURLToPath(new URL('step-process.ts', import.meta.url));

type Call = Partial<StepCall>;

/** Performs single steps on a rig's real parts, without a workflow around them. */
export interface StepRunner {
  perform<S extends StepId>(app: RehearsedApp, step: S, call?: Call): Promise<StepResult<Evidence<S>>>;
  /**
   * Performs a step, and answers its failure where it fails.
   *
   * @param tries which try of the activity it is, from 1
   */
  answer(app: RehearsedApp, step: StepId, call?: Call, tries?: number): Promise<StepAnswer>;
  /** Performs a step that must be refused. */
  refused(app: RehearsedApp, step: StepId, type: string, call?: Call): Promise<string>;
  /** Performs a step that writes, twice: the second time it must find everything in place. */
  twice<S extends StepId>(app: RehearsedApp, step: S, call?: Call): Promise<Evidence<S>>;
  /** Takes an app through the cutover by its steps alone, until it serves as the role. */
  cutOver(app: RehearsedApp): Promise<void>;
  stop(): Promise<void>;
}

/** @param env added to what the rig's workers are started with */
export function startStepRunner(rig: Rig, env: Readonly<Record<string, string>> = {}): StepRunner {
  const child = rig.startWorker({ env, entry });
  const waiting = new Map<number, (answer: StepAnswer) => void>();
  child.process.on('message', (answer: StepAnswer) => {
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  const targets = createTargetStore(rig.workerEnv['CUTOVER_TARGETS'] ?? '');
  const run = randomUUID();
  let next = 1;

  const ask = async (app: RehearsedApp, step: StepId, call: Call, tries = 1): Promise<StepAnswer> => {
    const { digest } = await targets.read(app.herokuApp);
    const id = next++;
    const order: StepOrder = {
      id,
      tries,
      call: { app: app.herokuApp, step, attempt: id, run, since: Date.now(), targetDigest: digest, ...call },
    };
    return new Promise((resolve, reject) => {
      waiting.set(id, resolve);
      void child.ended.then(() => reject(new Error('the process that performs steps has ended; see its log')));
      child.process.send(order);
    });
  };

  const runner: StepRunner = {
    async perform<S extends StepId>(app: RehearsedApp, step: S, call: Call = {}) {
      const answer = await ask(app, step, call);
      if ('failure' in answer) throw new Error(`${step} failed: ${answer.failure.type}: ${answer.failure.message}`);
      const result = answer.result as StepResult<Evidence<S>>;
      expect(steps[step].evidence.parse(result.evidence)).toEqual(result.evidence);
      return result;
    },
    answer: (app, step, call = {}, tries = 1) => ask(app, step, call, tries),
    async refused(app, step, type, call = {}) {
      const answer = await ask(app, step, call);
      expect(answer).toMatchObject({ failure: { type } });
      return 'failure' in answer ? answer.failure.message : '';
    },
    async twice(app, step, call) {
      const first = await runner.perform(app, step, call);
      expect([step, first.did]).toEqual([step, 'acted']);
      const second = await runner.perform(app, step, call);
      expect([step, second.did]).toEqual([step, 'already']);
      return first.evidence;
    },
    async cutOver(app) {
      for (const step of ['upgrade', 'credential', 'bind-url', 'grants', 'flag'] as const) {
        await runner.perform(app, step);
      }
      await eventually(
        () => lookFromOutside(rig.platform.heroku.webUrl(app.herokuApp), app),
        ({ ok }) => ok,
      );
    },
    stop: () => child.stop(),
  };
  return runner;
}
