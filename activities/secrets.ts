import { redactAll, redactJson, SecretForms } from './secret-forms.ts';

/** A shorter text is no secret: redacting it would make every text unreadable and hide nothing. */
const shortestSecret = 6;
/** A config var's value is a secret from this length on, unless the target file names the variable as plain. */
const shortestValue = 12;

/** Where a value holds a secret, and which. Neither repeats it. */
export interface Leak {
  readonly field: string;
  /** Such as `the value of the config var SENTRY_DSN`. */
  readonly what: string;
  /** The config var whose value it is, where it is one that could be declared plain. */
  readonly variable?: string;
}

/**
 * The secrets that one activity has learnt. They are registered where they are read (a client, never the activity
 * itself), live as long as the activity, and are searched for in everything that leaves it.
 */
export class Secrets {
  readonly #known = new Map<string, SecretForms & { what?: string; variable?: string }>();
  readonly #plain = new Set<string>();
  readonly #plainVariables = new Set<string>();
  readonly #onLearnt: (secret: string) => void;

  /** @param onLearnt told each secret: nets outside of the activity know it too */
  constructor(onLearnt: (secret: string) => void = () => undefined) {
    this.#onLearnt = onLearnt;
  }

  /**
   * Names what is no secret whoever holds it: the values of the target file, and config vars that it declares plain.
   *
   * @param value texts, at any depth
   */
  keepPlain(value: unknown, variables: Iterable<string> = []): void {
    for (const name of variables) this.#plainVariables.add(name);
    for (const text of textsOf(value)) if (text !== '') this.#plain.add(text);
  }

  /** Registers a secret. Values under 6 characters are ignored, and those of the target file. */
  add(secret: string, what = 'a secret', variable?: string): void {
    if (secret.length < shortestSecret || this.#plain.has(secret) || this.#known.has(secret)) return;
    this.#known.set(secret, Object.assign(new SecretForms(secret), { what, ...(variable ? { variable } : {}) }));
    this.#onLearnt(secret);
  }

  /** Registers the password of a URL, and the whole URL with it. The user, host and database are not secret. */
  addUrl(url: string, what = 'a URL with a password'): void {
    if (!URL.canParse(url)) return;
    const { password, username, hostname, host, pathname } = new URL(url);
    this.keepPlain([username, percentDecoded(username), hostname, host, pathname.slice(1)]);
    if (password === '') return;
    this.add(url, what);
    this.add(password, `the password in ${what}`);
    this.add(percentDecoded(password), `the password in ${what}`);
  }

  /**
   * Registers the values of config vars: those with a password in any length, others from 12 characters on. Not a
   * secret is what the target file says or declares plain, a part of it, and a user, a host or an address without more.
   */
  addConfigVars(vars: Readonly<Record<string, string>>): void {
    const whatOf = (name: string): string => `the value of the config var ${name}`;
    // First, so that the users and hosts of all are known.
    for (const [name, value] of Object.entries(vars)) this.addUrl(value, whatOf(name));
    for (const [name, value] of Object.entries(vars)) {
      if (value.length < shortestValue || this.#plainVariables.has(name)) continue;
      if (isBareAddress(value) || [...this.#plain].some((text) => text.includes(value))) continue;
      this.add(value, whatOf(name), name);
    }
  }

  /** The text with every secret replaced, in every form that it may have. */
  redact(text: string): string {
    return redactAll(text, this.#known.values());
  }

  /** The value as its JSON says it, with every secret replaced, in keys too. */
  redactValue(value: unknown): unknown {
    let json: string | undefined;
    try {
      json = JSON.stringify(value);
    } catch {
      // Circular, or with numbers that JSON does not have.
      return '[a value that cannot be written]';
    }
    return json === undefined ? undefined : JSON.parse(redactJson(json, (text) => this.redact(text)));
  }

  /**
   * The first field of a value that holds a secret.
   *
   * @param path where the value stands, for the message
   * @throws TypeError when the value cannot be written as JSON: then it cannot leave either
   */
  find(value: unknown, path = 'result'): Leak | undefined {
    if (value instanceof Uint8Array) return this.#leakIn(Buffer.from(value).toString(), path);
    const json = JSON.stringify(value) as string | undefined;
    return json === undefined ? undefined : this.#findParsed(JSON.parse(json), path);
  }

  #findParsed(value: unknown, path: string): Leak | undefined {
    if (typeof value === 'string' || typeof value === 'number') return this.#leakIn(String(value), path);
    if (typeof value !== 'object' || value === null) return undefined;
    for (const [key, inner] of Object.entries(value)) {
      const found = this.#leakIn(key, `${path} (a key)`) ?? this.#findParsed(inner, `${path}.${key}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #leakIn(text: string, field: string): Leak | undefined {
    for (const secret of this.#known.values()) {
      if (secret.redact(text) === text) continue;
      const { what = 'a secret', variable } = secret;
      return { field, what, ...(variable === undefined ? {} : { variable }) };
    }
    return undefined;
  }
}

/** An address that leads to a host and no further: a public name. One with a path may be a webhook, which is a secret. */
function isBareAddress(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { hostname, username, password, pathname, search, hash } = new URL(value);
  return hostname !== '' && `${username}${password}${search}${hash}` === '' && /^\/?$/.test(pathname);
}

function* textsOf(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      if (!Array.isArray(value)) yield key;
      yield* textsOf(inner);
    }
  }
}

/** The text without its percent-encoding. Variables that people set hold a bare % too: such a text stays as it is. */
export function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
