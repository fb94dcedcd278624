import { redactAll, redactJson, SecretForms } from '../activities/secret-forms.ts';

/** Milliseconds for which what an activity has learnt is still known after it: its last words may be under way. */
const rememberMs = 5 * 60_000;
/** How many tokens are kept beside those of the start: one that was replaced may still be good for something. */
const rotatedKept = 32;

/**
 * What this process knows that must not leave it, whichever activity learnt it: the tokens for good, the rest for
 * minutes. The last nets, the payload codec and the log, look for it.
 */
export class KnownSecrets {
  readonly #tokens: ReadonlyMap<string, SecretForms>;
  readonly #rotated = new Map<string, SecretForms>();
  readonly #recent = new Map<string, { forms: SecretForms; until: number }>();
  readonly #now: () => number;

  constructor(tokens: readonly string[], now: () => number = Date.now) {
    this.#tokens = new Map(tokens.filter((token) => token !== '').map((token) => [token, new SecretForms(token)]));
    this.#now = now;
  }

  /** A token that took the place of another one while the process ran. */
  readonly keep = (token: string): void => {
    if (this.#tokens.has(token) || this.#rotated.has(token)) return;
    this.#rotated.set(token, new SecretForms(token));
    const [oldest] = this.#rotated.keys();
    if (this.#rotated.size > rotatedKept && oldest !== undefined) this.#rotated.delete(oldest);
  };

  readonly learn = (secret: string): void => {
    const forms = this.#recent.get(secret)?.forms ?? new SecretForms(secret);
    this.#recent.set(secret, { forms, until: this.#now() + rememberMs });
  };

  /** The text with every secret replaced. */
  redact(text: string): string {
    for (const [secret, { until }] of this.#recent) if (until < this.#now()) this.#recent.delete(secret);
    return redactAll(text, [
      ...this.#tokens.values(),
      ...this.#rotated.values(),
      ...[...this.#recent.values()].map(({ forms }) => forms),
    ]);
  }

  /** JSON with every secret replaced, which is still JSON. */
  redactJson(json: string): string {
    return redactJson(json, (text) => this.redact(text));
  }
}
