import { randomBytes, randomUUID } from 'node:crypto';
import { badRequest, notFound } from './api-error.ts';
import type { ApiRequest, ApiResponse, Route } from './api-server.ts';
import { isEnabled } from './features.ts';
import { writeLog } from './logs.ts';
import { ADDON_USER, currentRelease, findApp, type App, type Platform, type Release, type Slug } from './state.ts';

/** What a release is made for. */
export interface Change {
  readonly description: string;
  /** `addon`: the add-on changed its own variables (rotation, failover). */
  readonly by: 'user' | 'addon';
  readonly slug?: Slug;
}

/**
 * Makes the next release of an app from its config vars as they are now.
 *
 * - Every config change makes a release and restarts the dynos, attach and detach included [docs].
 * - A change by a user first runs the Procfile's `release` command, with the new config; one that an add-on makes to
 *   its own variables does not [docs].
 * - When that command fails, the release is `failed` and not deployed: the old one keeps serving, although the request
 *   that caused it was answered with success [docs].
 */
export function createRelease(platform: Platform, app: App, change: Change): Release {
  const base = app.releases.findLast((release) => release.status !== 'failed');
  const slug = change.slug ?? base?.slug;
  const command = slug?.processTypes.release;
  const runsCommand = change.by === 'user' && command !== undefined;
  const now = new Date();
  const release: Release = {
    id: randomUUID(),
    version: (app.releases.at(-1)?.version ?? 0) + 1,
    status: 'pending',
    current: false,
    description: change.description,
    createdAt: now,
    updatedAt: now,
    user: change.by === 'addon' ? ADDON_USER : platform.account,
    slug,
    config: Object.fromEntries(app.config),
    // [docs] The metadata comes with the next deploy after the feature is enabled, not with the next release.
    metadata: change.slug ? isEnabled(app, 'runtime-dyno-metadata') : (base?.metadata ?? false),
    output: runsCommand ? { secret: randomBytes(24).toString('hex'), lines: [], started: false } : undefined,
    settled: Promise.resolve(),
  };
  const before = app.releases.findLast(({ status }) => status === 'pending')?.settled ?? Promise.resolve();
  app.releases.push(release);
  app.updatedAt = now;
  writeLog(app, 'heroku', 'api', `Release v${release.version} created by ${release.user.email}: ${change.description}`);
  platform.log(`heroku: ${app.name} v${release.version} ${change.description}`);

  if (runsCommand) {
    // One after the other, in the order of the versions [assumed].
    release.settled = before.then(() => runReleasePhase(platform, app, release, command));
  } else {
    deploy(platform, app, release);
  }
  return release;
}

async function runReleasePhase(platform: Platform, app: App, release: Release, command: string): Promise<void> {
  const succeeded = await platform.dynos.runReleasePhase(app, release, command);
  if (platform.stopped.aborted) return;
  if (succeeded) return deploy(platform, app, release);
  release.status = 'failed';
  release.updatedAt = new Date();
  writeLog(app, 'heroku', 'api', `Release v${release.version} command failed`);
  platform.log(`heroku: ${app.name} v${release.version} failed: its release command failed`);
}

function deploy(platform: Platform, app: App, release: Release): void {
  release.status = 'succeeded';
  release.updatedAt = new Date();
  const current = currentRelease(app);
  // An add-on's release does not wait for a release command, so a newer one may already serve [assumed].
  if (current && current.version > release.version) return;
  if (current) current.current = false;
  release.current = true;
  platform.dynos.rollOver(app);
}

export function releaseRoutes(platform: Platform): Route[] {
  return [
    {
      method: 'GET',
      path: '/apps/:app/releases',
      handle: (request) => listReleases(platform, findApp(platform, request.params.app as string), request),
    },
    {
      method: 'GET',
      path: '/apps/:app/releases/:release',
      handle: ({ params }) => {
        const app = findApp(platform, params.app as string);
        return { status: 200, body: presentRelease(platform, app, findRelease(app, params.release as string)) };
      },
    },
    {
      method: 'GET',
      path: '/apps/:app/releases/:release/config-vars',
      handle: ({ params }) => {
        const app = findApp(platform, params.app as string);
        return { status: 200, body: findRelease(app, params.release as string).config };
      },
    },
    {
      method: 'GET',
      path: '/streams/release-:secret',
      auth: 'none',
      // [source] `releases:output` reads it to its end; 404 means to it that the command has not started yet. Here the
      // answer comes when the command has ended.
      handle: async ({ params }) => {
        const release = [...platform.apps.values()]
          .flatMap(({ releases }) => releases)
          .find(({ output }) => output?.secret === params.secret);
        if (!release?.output?.started) throw notFound('stream', 'There is no output yet.');
        await release.settled;
        const body = release.output.lines.map((line) => `${line}\n`).join('');
        return { status: 200, body, headers: { 'content-type': 'text/plain; charset=utf-8' } };
      },
    },
  ];
}

function findRelease(app: App, idOrVersion: string): Release {
  const found = app.releases.find(({ id, version }) => id === idOrVersion || String(version) === idOrVersion);
  if (!found) throw notFound('release', "Couldn't find that release.");
  return found;
}

/**
 * The CLI asks for the newest with `Range: version ..; order=desc,max=1` [seen]; the answer to a part of the list is
 * 206 with `Next-Range` [docs].
 */
function listReleases(platform: Platform, app: App, request: ApiRequest): ApiResponse {
  const range = parseRange(request.headers.range);
  const ordered = [...app.releases].sort((a, b) => (range.descending ? b.version - a.version : a.version - b.version));
  const { after } = range;
  const rest = ordered.filter(({ version }) => {
    if (after === undefined) return true;
    if (version === after.version) return after.inclusive;
    return range.descending ? version < after.version : version > after.version;
  });
  const page = rest.slice(0, range.max);
  const body = page.map((release) => presentRelease(platform, app, release));
  const first = page[0]?.version;
  const last = page.at(-1)?.version;
  const order = range.descending ? ', order=desc' : '';
  return {
    status: page.length < rest.length ? 206 : 200,
    body,
    headers: {
      'accept-ranges': 'id, version',
      ...(first === undefined ? {} : { 'content-range': `version ${first}..${last}; max=${range.max}${order}` }),
      ...(page.length < rest.length ? { 'next-range': `version ]${last}..; max=${range.max}${order}` } : {}),
    },
  };
}

interface Range {
  readonly after?: { version: number; inclusive: boolean };
  readonly descending: boolean;
  readonly max: number;
}

function parseRange(header: string | undefined): Range {
  if (header === undefined) return { descending: false, max: 200 };
  const match = /^(?:id|version) (\]?)([\w-]*)\.\.[^;]*(?:;(.*))?$/.exec(header.trim());
  if (!match) throw badRequest('Invalid `Range` header.');
  const [, exclusive, start, parameters = ''] = match;
  const max = Number(/max=(\d+)/.exec(parameters)?.[1] ?? 200);
  return {
    descending: /order=desc/.test(parameters),
    max: Math.min(Math.max(max, 1), 1000),
    ...(start ? { after: { version: Number(start), inclusive: exclusive === '' } } : {}),
  };
}

function presentRelease(platform: Platform, app: App, release: Release): Record<string, unknown> {
  return {
    id: release.id,
    version: release.version,
    status: release.status,
    current: release.current,
    description: release.description,
    user: release.user,
    // [source] `pipelines:diff`: on fir a release has an image in the place of the slug.
    slug: release.slug && app.generation === 'cedar' ? { id: release.slug.id } : null,
    oci_image: release.slug && app.generation === 'fir' ? { id: release.slug.id } : null,
    app: { id: app.id, name: app.name },
    addon_plan_names: [],
    eligible_for_rollback: release.status === 'succeeded' && release.slug !== undefined,
    output_stream_url: release.output ? `${platform.url}/streams/release-${release.output.secret}` : null,
    created_at: release.createdAt.toISOString(),
    updated_at: release.updatedAt.toISOString(),
  };
}
