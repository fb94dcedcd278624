import { badRequest, notFound } from './api-error.ts';
import { requiredText, type Route } from './api-server.ts';
import { findApp, type App, type Dyno, type Platform } from './state.ts';

export function dynoRoutes(platform: Platform): Route[] {
  const accepted = { status: 202, body: {} };
  return [
    {
      method: 'GET',
      path: '/apps/:app/dynos',
      handle: ({ params }) => {
        const app = findApp(platform, params.app as string);
        // [docs] With preboot the old web dynos run on and are not listed. The setting shows them, by the same names.
        const old = platform.settings.prebootListsOld ? [...app.outgoing] : [];
        return { status: 200, body: [...old, ...app.dynos.values()].map((dyno) => present(app, dyno)) };
      },
    },
    {
      method: 'GET',
      path: '/apps/:app/dynos/:dyno',
      handle: ({ params }) => {
        const app = findApp(platform, params.app as string);
        return { status: 200, body: present(app, findDyno(app, params.dyno as string)) };
      },
    },
    {
      method: 'POST',
      path: '/apps/:app/dynos',
      handle: ({ params, body }) => {
        const app = findApp(platform, params.app as string);
        const dyno = platform.dynos.runOneOff(app, {
          command: requiredText(body, 'command'),
          env: environment(body.env),
          attach: body.attach === true,
          type: typeof body.type === 'string' ? body.type : 'run',
        });
        return { status: 201, body: present(app, dyno) };
      },
    },
    {
      method: 'DELETE',
      path: '/apps/:app/dynos',
      // Every dyno, a stranger's one-off too; the answer comes at once and the restart happens after it [source].
      handle: ({ params }) => {
        platform.dynos.restart(findApp(platform, params.app as string), () => true);
        return accepted;
      },
    },
    {
      method: 'DELETE',
      path: '/apps/:app/dynos/:dyno',
      handle: ({ params }) => {
        const app = findApp(platform, params.app as string);
        const wanted = findDyno(app, params.dyno as string);
        platform.dynos.restart(app, (dyno) => dyno === wanted);
        return accepted;
      },
    },
    {
      method: 'POST',
      path: '/apps/:app/dynos/:dyno/actions/stop',
      // A dyno of the formation comes back by itself after a stop [docs].
      handle: ({ params }) => {
        const app = findApp(platform, params.app as string);
        const wanted = findDyno(app, params.dyno as string);
        platform.dynos.restart(app, (dyno) => dyno === wanted);
        return accepted;
      },
    },
    ...(
      [
        ['DELETE', '/apps/:app/formations/:type'],
        ['POST', '/apps/:app/formations/:type/actions/stop'],
      ] as const
    ).map(([method, path]): Route => ({
      method,
      path,
      handle: ({ params }) => {
        const app = findApp(platform, params.app as string);
        platform.dynos.restart(app, (dyno) => dyno.type === params.type);
        return accepted;
      },
    })),
  ];
}

function findDyno(app: App, nameOrId: string): Dyno {
  const found = [...app.dynos.values()].find((dyno) => dyno.name === nameOrId || dyno.id === nameOrId);
  if (!found) throw notFound('dyno', "Couldn't find that dyno.");
  return found;
}

/** Reaches this one dyno only [docs]. The CLI adds TERM, and COLUMNS and LINES as numbers on a terminal [source]. */
function environment(env: unknown): Record<string, string> {
  if (env === undefined || env === null) return {};
  if (typeof env !== 'object') throw badRequest('Invalid parameter: env.');
  const entries = Object.entries(env).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}

function present(app: App, dyno: Dyno): Record<string, unknown> {
  return {
    id: dyno.id,
    name: dyno.name,
    type: dyno.type,
    command: dyno.command,
    state: dyno.state,
    size: app.formation.get(dyno.type)?.size ?? 'Standard-1X',
    attach_url: dyno.attachUrl ?? null,
    release: { id: dyno.release.id, version: dyno.release.version },
    app: { id: app.id, name: app.name },
    created_at: dyno.createdAt.toISOString(),
    updated_at: dyno.updatedAt.toISOString(),
  };
}
