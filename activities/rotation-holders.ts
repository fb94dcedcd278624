import { scryptSync } from 'node:crypto';
import type { Binding, RotatedCredential } from '../workflows/rotation-plan.ts';
import type { StepCall } from '../workflows/steps.ts';
import { ServiceError } from './clients/errors.ts';
import type { Addon, Attachment, CredentialUrls } from './clients/heroku.ts';
import { percentDecoded } from './secrets.ts';
import type { Services } from './services.ts';
import type { Target } from './target.ts';

/** Short enough to be read beside another one. */
const fingerprintBytes = 16;

/** The platform's name of a credential: the owner is its default one. */
export function credentialName({ role }: Target, which: RotatedCredential): string {
  return which === 'owner' ? 'default' : role.credential;
}

/**
 * Tells the URLs of one credential apart within one run, without saying anything of the password: scrypt, salted with the
 * run and the add-on. A plain digest would do for the platform's own passwords, which are long and random, and not for one
 * that a person has chosen. The platform itself names no generation of a credential: its `uuid` stays [source].
 */
export function createFingerprints({ run }: Pick<StepCall, 'run'>, { id }: Pick<Addon, 'id'>): (url: string) => string {
  const known = new Map<string, string>();
  return (url) => {
    const secret = loginOf(url);
    const found = known.get(secret) ?? scryptSync(secret, `${run}/${id}`, fingerprintBytes).toString('hex');
    known.set(secret, found);
    return found;
  };
}

/** User and password: host and scheme differ between the pooler, a copy and the platform's own value. */
function loginOf(url: string): string {
  if (!URL.canParse(url)) return '';
  const { username, password } = new URL(url);
  return `${percentDecoded(username)}\n${percentDecoded(password)}`;
}

/** Whether a variable lets its reader in as the URL does. */
export function isSameLogin(value: string | undefined, url: string): boolean {
  return value !== undefined && url !== '' && loginOf(value) === loginOf(url);
}

/** The value with another login, in whatever form somebody has written it: scheme, host and parameters are theirs. */
export function withLogin(value: string, url: string): string {
  if (!URL.canParse(value) || !/^postgres/.test(value)) return url;
  const [copy, { username, password }] = [new URL(value), new URL(url)];
  copy.username = username;
  copy.password = password;
  return copy.href;
}

/** The URL with which the credential lets in, or nothing where it has none. */
export function activeUrl({ urls }: CredentialUrls): string {
  return urls.findLast(({ state }) => state === 'active')?.url ?? '';
}

export interface Holders {
  readonly bindings: readonly Binding[];
  /** Apps whose variables the token may not read. */
  readonly unreadable: readonly string[];
  /** The variables of each app that could be read. */
  readonly vars: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

/**
 * Who holds the URL of a credential: attachments, which the platform changes, and copies, which it does not. Copies are
 * looked for in the app and in every other app on the add-on; in apps that have nothing to do with it nobody looks.
 */
export async function holdersOf(
  { heroku }: Services,
  target: Target,
  addon: Addon,
  which: RotatedCredential,
  credential: CredentialUrls,
): Promise<Holders> {
  const name = credentialName(target, which);
  const all = await heroku.listAddonAttachments(addon.id);
  const attached = all.filter((one) => provides(one, name));
  const apps = [...new Set([target.app, ...all.map((one) => one.app.name)])];
  const seen = await Promise.all(apps.map(async (app) => [app, await varsOf(heroku, app)] as const));
  const vars = new Map(seen.flatMap(([app, found]) => (found === null ? [] : [[app, found] as const])));
  const bound = attached.map(({ app, name: as }): Binding => ({
    app: app.name,
    variable: `${as}_URL`,
    by: 'attachment',
  }));
  const provided = new Set(all.map((one) => `${one.app.name} ${one.name}_URL`));
  const own = `${target.role.attachment}_URL`;
  const copies = [...vars].flatMap(([app, values]) =>
    Object.entries(values)
      .filter(([variable]) => !provided.has(`${app} ${variable}`))
      .filter(
        ([variable, value]) =>
          isCopy(value, credential) || (which === 'role' && app === target.app && variable === own),
      )
      .map(([variable]): Binding => ({ app, variable, by: 'copy' })),
  );
  return {
    bindings: [...bound, ...copies].sort(byName),
    unreadable: apps.filter((app) => !vars.has(app)).sort(),
    vars,
  };
}

/** The pooler's attachment uses the default credential [source]. */
function provides({ namespace }: Attachment, name: string): boolean {
  return name === 'default'
    ? namespace === null || namespace === 'connection-pooling:default'
    : namespace === `credential:${name}`;
}

function isCopy(value: string, { database, urls }: CredentialUrls): boolean {
  if (!/^postgres(ql)?(\+\w+)?:/.test(value) || !URL.canParse(value)) return false;
  const { pathname, username } = new URL(value);
  return pathname === `/${database}` && urls.some(({ user }) => user === percentDecoded(username));
}

function byName(a: Binding, b: Binding): number {
  return `${a.app} ${a.variable}`.localeCompare(`${b.app} ${b.variable}`, 'en');
}

async function varsOf(heroku: Services['heroku'], app: string): Promise<Record<string, string> | null> {
  try {
    return await heroku.getConfigVars(app);
  } catch (error) {
    if (error instanceof ServiceError && [403, 404].includes(error.status)) return null;
    throw error;
  }
}
