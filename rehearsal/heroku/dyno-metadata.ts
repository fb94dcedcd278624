import type { App, Dyno } from './state.ts';

/**
 * What a dyno is told of itself where `runtime-dyno-metadata` is on [docs]. Variables of the dyno alone: the app's
 * config vars do not show them.
 */
export function metadataOf(app: App, { id, release }: Dyno): Record<string, string> {
  if (!release.metadata) return {};
  return {
    HEROKU_APP_ID: app.id,
    HEROKU_APP_NAME: app.name,
    HEROKU_DYNO_ID: id,
    HEROKU_RELEASE_CREATED_AT: release.createdAt.toISOString().replace(/\.\d+Z$/, 'Z'),
    HEROKU_RELEASE_VERSION: `v${release.version}`,
    HEROKU_SLUG_COMMIT: release.slug?.commit ?? '',
    HEROKU_SLUG_DESCRIPTION: release.slug ? `Deploy ${release.slug.commit.slice(0, 8)}` : '',
  };
}
