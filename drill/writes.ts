import type { Platform } from '../rehearsal/platform.ts';

/** A request that a stand-in has taken and that changed something, or what took effect in PostgreSQL's catalog. */
export interface Write {
  /** Milliseconds since 1970, when it came, or when its statement ran. */
  readonly at: number;
  /** `METHOD /path`, without what differs from app to app: what can be counted. */
  readonly what: string;
}

/** Every write that the stand-ins of an app have taken, in their order. */
export function writesOf({ heroku, github }: Platform, app: string): Write[] {
  return [...heroku.requests, ...github.requests]
    .filter(({ method, path, status }) => method !== 'GET' && status > 0 && status < 400 && !isLook(method, path))
    .map(({ at, method, path }) => ({ at, what: `${method} ${generalised(path, app)}` }))
    .sort((a, b) => a.at - b.at);
}

/** Questions that are asked by POST, and one-off dynos: what those change is counted in the catalog. */
function isLook(method: string, path: string): boolean {
  return method === 'POST' && (/\/dynos$/.test(path) || path.startsWith('/actions/') || /\/log-sessions$/.test(path));
}

function generalised(path: string, app: string): string {
  return path.replaceAll(app, '<app>').replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '<id>');
}

/** How often each is there. */
export function countsOf(all: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const what of all) counts[what] = (counts[what] ?? 0) + 1;
  return counts;
}
