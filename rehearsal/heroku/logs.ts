import { randomBytes, randomUUID } from 'node:crypto';
import { notFound } from './api-error.ts';
import type { Route } from './api-server.ts';
import type { DynoProcess } from './dyno-process.ts';
import { findApp, type App, type Dyno, type LogLine, type Platform } from './state.ts';

const SESSIONS_KEPT = 100;
const LOG_LINES_KEPT = 2_000;

export function writeLog(app: App, source: LogLine['source'], dyno: string, text: string): void {
  app.logs.push({ at: new Date(), source, dyno, text });
  if (app.logs.length > LOG_LINES_KEPT) app.logs.splice(0, app.logs.length - LOG_LINES_KEPT);
}

/** Keeps what a dyno prints, line by line. In memory only: an app may print its own secrets. */
export function keepOutput(app: App, dyno: Dyno, process: DynoProcess): void {
  const keep = (line: string): void => {
    writeLog(app, 'app', dyno.name, line);
    // Only the release command: a web dyno of the same release has nothing to say there.
    if (dyno.type === 'release') dyno.release.output?.lines.push(line);
  };
  let rest = '';
  process.output.setEncoding('utf8');
  process.output.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) keep(line);
  });
  process.output.on('end', () => {
    if (rest !== '') keep(rest);
  });
}

/** `heroku logs`, without `--tail`: a session is made, and its address holds what is in the log [source]. */
export function logRoutes(platform: Platform): Route[] {
  const sessions = new Map<string, LogLine[]>();
  return [
    {
      method: 'POST',
      path: '/apps/:app/log-sessions',
      handle: ({ params, body }) => {
        const app = findApp(platform, params.app as string);
        const wanted = app.logs
          .filter(({ dyno }) => typeof body.dyno !== 'string' || dyno === body.dyno || dyno.startsWith(`${body.dyno}.`))
          .filter(({ source }) => typeof body.source !== 'string' || source === body.source);
        const lines = typeof body.lines === 'number' ? body.lines : 100;
        const secret = randomBytes(24).toString('hex');
        sessions.set(secret, wanted.slice(-lines));
        const oldest = sessions.keys().next().value;
        if (sessions.size > SESSIONS_KEPT && oldest !== undefined) sessions.delete(oldest);
        const at = new Date().toISOString();
        const logplexUrl = `${platform.url}/streams/${secret}`;
        return { status: 201, body: { id: randomUUID(), logplex_url: logplexUrl, created_at: at, updated_at: at } };
      },
    },
    {
      method: 'GET',
      path: '/streams/:secret',
      auth: 'none',
      handle: ({ params, headers }) => {
        const lines = sessions.get(params.secret as string);
        if (!lines) throw notFound('log session', 'The log session has ended.');
        const text = lines.map(({ at, source, dyno, text: line }) => `${at.toISOString()} ${source}[${dyno}]: ${line}`);
        // The CLI reads it as a stream of events [source]; anybody else gets plain text.
        if (headers.accept?.includes('text/event-stream')) {
          const body = text.map((line) => `data: ${line}\n\n`).join('');
          return { status: 200, body, headers: { 'content-type': 'text/event-stream' } };
        }
        const body = text.map((line) => `${line}\n`).join('');
        return { status: 200, body, headers: { 'content-type': 'text/plain; charset=utf-8' } };
      },
    },
  ];
}
