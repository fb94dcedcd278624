import { randomUUID } from 'node:crypto';
import { ApiError, notFound } from './api-error.ts';
import type { Route } from './api-server.ts';
import type { Platform } from './state.ts';

interface Authorization {
  readonly id: string;
  readonly description: string;
  readonly token: string;
  readonly expiresAt: number | null;
}

/**
 * The account's tokens. There is no call that names the token in use: `heroku auth:token` takes the list and looks for
 * its own token in it, and reads `access_token.expires_in`, in seconds, null when it does not expire [source].
 */
export function authorizationRoutes(platform: Platform): Route[] {
  const createdAt = new Date().toISOString();
  const inUseId = randomUUID();
  // Only shown: no request is accepted with it.
  const another: Authorization = {
    id: randomUUID(),
    description: 'Long-lived user authorization',
    token: randomUUID(),
    expiresAt: null,
  };
  platform.secrets.add(another.token);
  const inUse = (): Authorization => ({
    id: inUseId,
    description: 'Cutover worker',
    token: platform.token,
    expiresAt: platform.tokenExpiresAt,
  });
  const all = (): Authorization[] => [another, inUse()];

  const present = ({ id, description, token, expiresAt }: Authorization): Record<string, unknown> => ({
    id,
    description,
    scope: ['global'],
    client: null,
    grant: null,
    refresh_token: null,
    access_token: {
      id,
      token,
      expires_in: expiresAt === null ? null : Math.max(0, Math.floor((expiresAt - Date.now()) / 1000)),
    },
    user: { ...platform.account, full_name: 'Rehearsal' },
    created_at: createdAt,
    updated_at: createdAt,
  });

  const find = (id: string): Authorization => {
    const { defaultAuthorization } = platform.settings;
    const found =
      id !== '~'
        ? all().find((one) => one.id === id)
        : { 'in-use': inUse(), another, none: undefined }[defaultAuthorization];
    // [source] The CLI's login knows this answer by `resource`.
    if (!found) throw notFound('authorization', "Couldn't find that OAuth authorization.");
    return found;
  };

  return [
    { method: 'GET', path: '/oauth/authorizations', handle: () => ({ status: 200, body: all().map(present) }) },
    {
      method: 'GET',
      path: '/oauth/authorizations/:authorization',
      handle: ({ params }) => ({ status: 200, body: present(find(params.authorization as string)) }),
    },
  ];
}

/** [assumed] An expired token is refused with the same words as an unknown one. */
export function refuseExpired(platform: Platform): void {
  if (platform.tokenExpiresAt === null || Date.now() < platform.tokenExpiresAt) return;
  throw new ApiError(401, 'unauthorized', 'Invalid credentials provided.');
}
