import { randomUUID } from 'node:crypto';
import { badRequest, notFound } from './api-error.ts';
import type { Route } from './api-server.ts';
import { findApp, type App, type Feature, type FeatureName, type Platform } from './state.ts';

/** What can be switched on and off for an app: `heroku features` and `heroku labs` both speak to it [source]. */
export function newFeatures(enabled: { preboot: boolean; dynoMetadata: boolean }): ReadonlyMap<FeatureName, Feature> {
  const feature = (name: FeatureName, on: boolean): [FeatureName, Feature] => [
    name,
    { id: randomUUID(), name, enabled: on },
  ];
  return new Map([feature('preboot', enabled.preboot), feature('runtime-dyno-metadata', enabled.dynoMetadata)]);
}

export function isEnabled(app: App, name: FeatureName): boolean {
  return app.features.get(name)?.enabled === true;
}

export function featureRoutes(platform: Platform): Route[] {
  const path = '/apps/:app/features';
  return [
    {
      method: 'GET',
      path,
      handle: ({ params }) => {
        const app = findApp(platform, params.app as string);
        return { status: 200, body: [...app.features.values()].map((feature) => present(app, feature)) };
      },
    },
    {
      method: 'GET',
      path: `${path}/:feature`,
      handle: ({ params }) => {
        const app = findApp(platform, params.app as string);
        return { status: 200, body: present(app, find(app, params.feature as string)) };
      },
    },
    {
      method: 'PATCH',
      path: `${path}/:feature`,
      // [source] `features:enable` sends it. No release, and no restart [docs].
      handle: ({ params, body }) => {
        const app = findApp(platform, params.app as string);
        const feature = find(app, params.feature as string);
        if (typeof body.enabled !== 'boolean') throw badRequest('Invalid or missing parameter: enabled.');
        feature.enabled = body.enabled;
        app.updatedAt = new Date();
        return { status: 200, body: present(app, feature) };
      },
    },
  ];
}

function find(app: App, nameOrId: string): Feature {
  const found = [...app.features.values()].find(({ id, name }) => id === nameOrId || name === nameOrId);
  if (!found) throw notFound('feature', "Couldn't find that app feature.");
  return found;
}

function present(app: App, { id, name, enabled }: Feature): Record<string, unknown> {
  return {
    id,
    name,
    enabled,
    description: name === 'preboot' ? 'Provide seamless web dyno deploys' : 'Dyno Metadata',
    state: name === 'preboot' ? 'general' : 'beta',
    doc_url: null,
    created_at: app.createdAt.toISOString(),
    updated_at: app.updatedAt.toISOString(),
  };
}
