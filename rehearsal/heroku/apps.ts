import { badRequest } from './api-error.ts';
import type { Route } from './api-server.ts';
import { writeLog } from './logs.ts';
import { findApp, type App, type Platform } from './state.ts';

export function appRoutes(platform: Platform): Route[] {
  return [
    {
      method: 'GET',
      path: '/account',
      // `heroku run` asks for it, of the host in HEROKU_PARTICLEBOARD_URL as well [seen].
      handle: () => ({ status: 200, body: { ...platform.account, name: 'Rehearsal', verified: true } }),
    },
    {
      method: 'GET',
      path: '/apps',
      handle: () => ({ status: 200, body: [...platform.apps.values()].map((app) => presentApp(platform, app)) }),
    },
    {
      method: 'GET',
      path: '/apps/:app',
      handle: ({ params }) => ({
        status: 200,
        body: presentApp(platform, findApp(platform, params.app as string)),
      }),
    },
    {
      method: 'PATCH',
      path: '/apps/:app',
      handle: ({ params, body }) => {
        const app = findApp(platform, params.app as string);
        // Stops the routers, not workers or schedulers; no release is made [docs].
        if (typeof body.maintenance !== 'boolean') throw badRequest('Only `maintenance` can be changed here.');
        app.maintenance = body.maintenance;
        app.updatedAt = new Date();
        writeLog(app, 'heroku', 'api', `Maintenance mode ${body.maintenance ? 'enabled' : 'disabled'}`);
        return { status: 200, body: presentApp(platform, app) };
      },
    },
  ];
}

function presentApp(platform: Platform, app: App): Record<string, unknown> {
  return {
    id: app.id,
    name: app.name,
    maintenance: app.maintenance,
    owner: platform.account,
    region: { id: app.id, name: 'us' },
    // On the `cnb` stack the CLI puts `launcher` before a command [source]; on `fir`, `heroku run` may be missing [docs].
    stack: { id: app.id, name: app.generation === 'fir' ? 'cnb' : 'heroku-24' },
    build_stack: { id: app.id, name: app.generation === 'fir' ? 'cnb' : 'heroku-24' },
    generation: { id: app.id, name: app.generation },
    space: null,
    team: null,
    process_tier: 'production',
    create_status: 'complete',
    acm: false,
    git_url: null,
    // `apps:info` fails on an app without numbers here [seen].
    repo_size: 0,
    slug_size: 0,
    web_url: `${app.router.url}/`,
    released_at: app.releases.at(-1)?.createdAt.toISOString() ?? null,
    created_at: app.createdAt.toISOString(),
    updated_at: app.updatedAt.toISOString(),
  };
}
