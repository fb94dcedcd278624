import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { NativeConnection, Worker } from '@temporalio/worker';
import type { Listening } from './config.ts';
import { StartError } from './start-error.ts';

/** Milliseconds in which Temporal must answer for the worker to be ready. */
const answerLimitMs = 2_000;
/** Milliseconds for which an answer counts: however many ask, Temporal is asked no more often. */
const answerHoldsMs = 2_000;

export interface HealthServer {
  /** `http://HOST:PORT`. */
  readonly url: string;
  /** May be called twice. */
  stop(): Promise<void>;
}

/** Why the worker is not ready, in a few words, or undefined where it is. */
export type Readiness = () => Promise<string | undefined>;

/**
 * `/healthz` answers 200 as long as this process does: who restarts the worker by it does so for nothing when Temporal
 * is away. `/readyz` answers 200 only where the worker is ready, and else 503 and why.
 *
 * @throws StartError where the port cannot be had
 */
export async function startHealthServer({ host, port }: Listening, readiness: Readiness): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://worker');
    if (request.method !== 'GET' && request.method !== 'HEAD') return end(response, 405, { status: 'only GET' });
    if (pathname === '/healthz') return end(response, 200, { status: 'alive' });
    if (pathname !== '/readyz') return end(response, 404, { status: 'there are /healthz and /readyz' });
    void readiness()
      .catch(() => 'it does not know')
      .then((why) =>
        why === undefined ? end(response, 200, { status: 'ready' }) : end(response, 503, { status: why }),
      );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(portProblem('CUTOVER_HEALTH', { host, port }, error)),
    );
    server.listen(port, host, resolve);
  });
  const { port: taken, family } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${host}]` : host}:${taken}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** What is said where a port cannot be had. */
export function portProblem(
  variables: string,
  { host, port }: Listening,
  { code = '' }: NodeJS.ErrnoException,
): StartError {
  return new StartError(
    `The port ${port} of ${host} cannot be had (${code}). Set ${variables}_PORT, or ${variables}_HOST, to one that is free on this host, then start the worker again.`,
  );
}

/** Whether a worker takes work: it runs, and Temporal answers it. */
export function readinessOf(worker: Worker, connection: NativeConnection, namespace: string): Readiness {
  let asked: { at: number; answer: Promise<string | undefined> } | undefined;
  const ask = (): Promise<string | undefined> => {
    const answered = connection.withDeadline(Date.now() + answerLimitMs, () =>
      connection.workflowService.describeNamespace({ namespace }),
    );
    // The SDK's own deadline is one for each try, and it tries again for longer [ran: 1.24.0].
    const late = delay(answerLimitMs, undefined, { ref: false }).then(() => Promise.reject(new Error('late')));
    return Promise.race([answered, late]).then(
      () => undefined,
      () => 'Temporal does not answer',
    );
  };
  return () => {
    const state = worker.getState();
    if (state !== 'RUNNING') return Promise.resolve(`the worker is ${state}`);
    if (asked === undefined || Date.now() - asked.at > answerHoldsMs) asked = { at: Date.now(), answer: ask() };
    return asked.answer;
  };
}

function end(response: ServerResponse, status: number, answer: { status: string }): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(answer)}\n`);
}
