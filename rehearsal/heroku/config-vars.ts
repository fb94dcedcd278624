import { badRequest, refused } from './api-error.ts';
import type { Route } from './api-server.ts';
import { createRelease } from './releases.ts';
import { attachmentsOf, findApp, ownedVariables, type App, type Platform } from './state.ts';

export function configVarRoutes(platform: Platform): Route[] {
  const path = '/apps/:app/config-vars';
  return [
    {
      method: 'GET',
      path,
      // What was set last, even when the release that it made has failed and is not what the dynos run with [assumed].
      handle: ({ params }) => ({
        status: 200,
        body: Object.fromEntries(findApp(platform, params.app as string).config),
      }),
    },
    {
      method: 'PATCH',
      path,
      handle: ({ params, body }) => {
        const app = findApp(platform, params.app as string);
        changeConfig(platform, app, body);
        return { status: 200, body: Object.fromEntries(app.config) };
      },
    },
  ];
}

/** Sets and unsets several variables at once, in one release; null unsets [docs]. */
function changeConfig(platform: Platform, app: App, changes: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(changes)) {
    if (name === '' || (value !== null && typeof value !== 'string')) {
      throw badRequest(`Invalid value for config var ${name}: a string or null is expected.`);
    }
  }
  // [docs] An attachment's value is the platform's. Refused as a whole, the names joined by commas; the status is
  // [assumed], and so is that unsetting is refused with the same words.
  const owned = new Set(attachmentsOf(platform, app).flatMap(ownedVariables));
  const forbidden = Object.keys(changes).filter((name) => owned.has(name));
  if (forbidden.length > 0) throw refused(`Cannot overwrite attachment values ${forbidden.join(',')}.`);

  const set: string[] = [];
  const removed: string[] = [];
  for (const [name, value] of Object.entries(changes) as [string, string | null][]) {
    if (value === null) {
      if (app.config.delete(name)) removed.push(name);
    } else if (app.config.get(name) !== value) {
      app.config.set(name, value);
      set.push(name);
      noteSecret(platform, value);
    }
  }
  // Nothing changed, nothing released [assumed].
  if (set.length + removed.length === 0) return;
  const parts = [
    set.length > 0 ? `Set ${set.join(', ')}` : '',
    removed.length > 0 ? `Remove ${removed.join(', ')}` : '',
  ].filter((part) => part !== '');
  createRelease(platform, app, { description: `${parts.join(' and ')} config vars`, by: 'user' });
}

/** An address that carries a password is a secret, whoever set it. */
export function noteSecret(platform: Platform, value: string): void {
  if (/^\w+(\+\w+)?:\/\/[^/@\s]*:[^/@\s]+@/.test(value)) platform.secrets.add(value);
}
