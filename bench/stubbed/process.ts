import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RateLimitOptions } from '../../activities/clients/rate-limit.ts';
import { startWorkerProcess } from '../../rehearsal/worker-process.ts';
import type { StepId } from '../../workflows/steps.ts';
import type { Place } from '../measurement.ts';
import { havePrebuilt } from '../start/have-prebuilt.ts';

const entry = fileURLToPath(new URL('worker.ts', import.meta.url));

/** What a worker with activities that do nothing is told as it starts. */
export interface StubSettings {
  readonly address: string;
  readonly taskQueue: string;
  /** Where each step makes requests, by the client and the limiter of production. */
  readonly platform?: { readonly apiUrl: string; readonly token: string; readonly allowance: RateLimitOptions };
  /** The steps whose beginning it tells. */
  readonly toldOf: readonly StepId[];
}

export interface Question {
  readonly ask: 'memory' | 'ended';
}

export type Answer =
  | { readonly is: 'loaded' | 'running' }
  | { readonly is: 'began'; readonly step: StepId; readonly app: string; readonly at: number }
  | { readonly is: 'memory'; readonly rss: number; readonly runs: number }
  | { readonly is: 'ended'; readonly steps: { readonly [S in StepId]?: number } };

type Told<A extends Answer['is']> = Extract<Answer, { is: A }>;

export interface StubbedWorker {
  /** Resident memory of the process, in bytes, and how many runs it keeps there. */
  memory(): Promise<{ readonly rss: number; readonly runs: number }>;
  /** How often a step has ended. */
  ended(step: StepId): Promise<number>;
  /** When a step of an app began, by this machine's clock, in milliseconds since 1970; it must be among those told of. */
  began(step: StepId, app: string): Promise<number>;
  stop(): Promise<void>;
}

/** Starts a worker whose activities do nothing, and waits until it runs. */
export async function startStubbedWorker(place: Place, settings: StubSettings): Promise<StubbedWorker> {
  await havePrebuilt(place.report);
  const worker = startWorkerProcess({ env: {}, logFile: path.join(place.dir, 'stubbed-worker.log'), entry });
  place.guard.watchGroup(worker.pid);
  const waiting = new Set<(answer: Answer) => void>();
  worker.process.on('message', (answer: Answer) => waiting.forEach((take) => take(answer)));

  const next = <A extends Answer['is']>(is: A, matches: (answer: Told<A>) => boolean = () => true) =>
    new Promise<Told<A>>((resolve, reject) => {
      const stop = (): void => reject(place.signal.reason as Error);
      const settle = (): void => {
        waiting.delete(take);
        place.signal.removeEventListener('abort', stop);
      };
      const take = (answer: Answer): void => {
        if (answer.is !== is || !matches(answer as Told<A>)) return;
        settle();
        resolve(answer as Told<A>);
      };
      waiting.add(take);
      place.signal.addEventListener('abort', stop, { once: true });
      void worker.ended.then(() => {
        settle();
        reject(new Error(`the worker has ended; see ${place.dir}/stubbed-worker.log`));
      });
    });
  const ask = <A extends Answer['is']>(question: Question, is: A): Promise<Told<A>> => {
    const answer = next(is);
    worker.process.send(question);
    return answer;
  };

  await next('loaded');
  const running = next('running');
  worker.process.send(settings);
  await running;
  return {
    memory: () => ask({ ask: 'memory' }, 'memory'),
    ended: async (step) => (await ask({ ask: 'ended' }, 'ended')).steps[step] ?? 0,
    began: async (step, app) => (await next('began', (one) => one.step === step && one.app === app)).at,
    async stop() {
      await worker.stop();
      place.guard.unwatchGroup(worker.pid);
    },
  };
}
