/** What stands in the place of a secret. */
const replacement = '[redacted]';

/**
 * The secrets that one activity has learnt. They are registered where they are read (a client, never the activity
 * itself), live as long as the activity, and are searched for in everything that leaves it.
 */
export class Secrets {
  readonly #needles = new Set<string>();

  /**
   * Registers a secret in the forms in which it could leave: plain, URL-encoded, base64, JSON-escaped.
   * Values under 6 characters are ignored: redacting them would make every text unreadable and hide nothing.
   */
  add(secret: string): void {
    if (secret.length < 6) return;
    for (const form of [
      secret,
      encodeURIComponent(secret),
      Buffer.from(secret).toString('base64').replace(/=+$/, ''),
      JSON.stringify(secret).slice(1, -1),
    ]) {
      this.#needles.add(form);
    }
  }

  /** Registers the password of a URL, and the whole URL with it. The user, host and database are not secret. */
  addUrl(url: string): void {
    if (!URL.canParse(url)) return;
    const { password } = new URL(url);
    if (password === '') return;
    this.add(url);
    this.add(password);
    this.add(percentDecoded(password));
  }

  /** The text with every secret replaced, longest first, so that a URL does not survive its password. */
  redact(text: string): string {
    let redacted = text;
    for (const needle of [...this.#needles].sort((a, b) => b.length - a.length)) {
      redacted = redacted.replaceAll(needle, replacement);
    }
    return redacted;
  }

  /**
   * The path of the first field of a value that holds a secret, or undefined.
   *
   * @param path where the value stands, for the message
   */
  find(value: unknown, path = 'result'): string | undefined {
    if (typeof value === 'string') return this.redact(value) === value ? undefined : path;
    if (typeof value !== 'object' || value === null) return undefined;
    for (const [key, inner] of Object.entries(value)) {
      if (this.redact(key) !== key) return `${path} (a key)`;
      const found = this.find(inner, `${path}.${key}`);
      if (found !== undefined) return found;
    }
    return undefined;
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
