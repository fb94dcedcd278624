import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Platform } from './platform.ts';

/** A request that the app did not answer, or answered with an error of its own or the router's. */
export interface LostRequest {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly what: string;
}

export interface LoadCounts {
  readonly reads: number;
  readonly writes: number;
  readonly lost: readonly LostRequest[];
  /** What the app has said it had written down: every one of them must be in the database. */
  readonly accepted: readonly string[];
}

export interface Load {
  stop(): Promise<LoadCounts>;
}

/** Milliseconds between a client's requests. */
const pauseMs = 20;
/** One that reads and one that writes, each with one request at a time. */
const clients = 2;

/**
 * Two clients that use an app the whole time: one reads, the other signs customers up. Neither sends a request twice, so
 * that every one that is lost is counted.
 *
 * @param url base URL of an app that answers as Raptor does
 */
export function startLoad(url: string): Load {
  let stopped = false;
  const lost: LostRequest[] = [];
  const accepted: string[] = [];
  const counts = { reads: 0, writes: 0 };
  const ask = async (what: string, init: RequestInit = {}): Promise<boolean> => {
    const at = Date.now();
    const answer = await fetch(`${url}${what}`, { ...init, signal: AbortSignal.timeout(10_000) }).then(
      async (response) => {
        await response.arrayBuffer();
        return String(response.status);
      },
      (error: unknown) => (error instanceof Error ? error.name : 'no answer'),
    );
    const isAnswered = /^2/.test(answer);
    if (!isAnswered) lost.push({ at, what: `${init.method ?? 'GET'} ${what}: ${answer}` });
    return isAnswered;
  };
  const again = async (act: () => Promise<void>): Promise<void> => {
    while (!stopped) {
      await act();
      await sleep(pauseMs);
    }
  };
  const reader = again(async () => {
    counts.reads += 1;
    await ask('/ready');
  });
  const writer = again(async () => {
    const email = `${randomUUID()}@load.example`;
    const headers = { 'content-type': 'application/json' };
    counts.writes += 1;
    if (await ask('/signup', { method: 'POST', headers, body: JSON.stringify({ email }) })) accepted.push(email);
  });
  return {
    async stop() {
      stopped = true;
      await Promise.all([reader, writer]);
      return { ...counts, lost, accepted };
    },
  };
}

/** Of the customers whom the app has said it had signed up, those that the database does not have. */
export async function notStored(
  { postgres }: Pick<Platform, 'postgres'>,
  databaseUrl: string,
  accepted: readonly string[],
): Promise<string[]> {
  const client = await postgres.connect(new URL(databaseUrl).pathname.slice(1));
  try {
    const { rows } = await client.query<{ email: string }>('SELECT email FROM customers WHERE email = ANY($1)', [
      accepted,
    ]);
    const stored = new Set(rows.map(({ email }) => email));
    return accepted.filter((email) => !stored.has(email));
  } finally {
    await client.end();
  }
}

/**
 * The lost requests that no restart explains. One explains those that were under way when the dynos ended, and a client has
 * no more than one under way.
 *
 * @param releases when the platform made one, in milliseconds since 1970; its time stamps may have whole seconds
 * @param restartMs milliseconds in which the dynos of a release are up
 */
export function unexplained(
  lost: readonly LostRequest[],
  releases: readonly number[],
  restartMs: number,
): LostRequest[] {
  const left = releases.map((made) => ({ made, inFlight: clients }));
  return lost.filter(({ at }) => {
    const restart = left.find(({ made, inFlight }) => inFlight > 0 && at >= made - 1_500 && at <= made + restartMs);
    if (restart !== undefined) restart.inFlight -= 1;
    return restart === undefined;
  });
}

/** In words: how much was asked, and what of it was lost. */
export function loadText({ reads, writes, lost }: LoadCounts): string {
  const [first, last] = [lost.at(0), lost.at(-1)];
  const when =
    first === undefined || last === undefined
      ? ''
      : `, between ${new Date(first.at).toISOString()} and ${new Date(last.at).toISOString()}`;
  return `${reads} reads and ${writes} writes through the app; ${lost.length} of them lost${when}`;
}
