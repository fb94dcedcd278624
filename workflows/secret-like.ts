/** What credentials look like, by what their issuers or their writers put around them. */
const shapes: readonly (readonly [kind: string, pattern: RegExp])[] = [
  ['a URL with a password', /\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:[^\s/@]+@/i],
  ['a private key', /-----BEGIN [A-Z ]*PRIVATE KEY/],
  ['a Heroku token', /\bHRKU-[\w-]{10,}/i],
  // Older API keys of Heroku's are UUIDs; so are ids, and nobody can tell which.
  ['a UUID, as API keys of Heroku are', /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/i],
  ['a GitHub token', /\b(gh[a-z]_[A-Za-z0-9]{10,}|github_pat_\w{10,})/],
  ['a token', /\b(sk_live_|rk_live_|xox[a-z]-|glpat-|npm_|AKIA|eyJ[\w-]+\.eyJ)[\w.-]{8,}/],
  ['an authorization header', /\b(bearer|basic)\s+[\w+/=.~-]{16,}/i],
  ['a named password or token', /\b(password|passwd|pwd|secret|token|api[_-]?key)["']?\s*[=:]\s*["']?[^\s"']{6,}/i],
];

/** Digits or letters without a break, as long as no word is. */
const longRun = /[A-Za-z0-9]{20,}/g;
/** Names of public things, which people quote in a reason: commits, and the digests of plans. */
const digest = /^([0-9a-f]{40}|[0-9a-f]{64})$/;
/** How often a random text changes between letters and digits, at the least; words with a number behind them do once. */
const changes = 4;

/**
 * What kind of credential a text seems to hold, or undefined. Pure: it knows no secret, only what they look like, so a
 * password that is a word is not found. The answer never repeats the text.
 */
export function holdsSecretLike(text: string): string | undefined {
  const known = shapes.find(([, pattern]) => pattern.test(text));
  if (known !== undefined) return known[0];
  const isRandom = (run: string): boolean =>
    !digest.test(run) && (run.match(/[a-z](?=[0-9])|[0-9](?=[a-z])/gi)?.length ?? 0) >= changes;
  return (text.match(longRun) ?? []).some(isRandom) ? 'a long random text' : undefined;
}

/** Nothing that starts a run is a commit or a digest; the oldest tokens of GitHub's are like them. */
function inInput(text: string): string | undefined {
  return holdsSecretLike(text) ?? (/[0-9a-f]{32}/i.test(text) ? 'a long random text' : undefined);
}

/** Fields that are named after what they hold; what they hold may look like any word. */
const secretName = /(password|passwd|pwd|secret|token|api[_-]?key|credentials?)$/i;

/** How to take back a credential that has come to a history, for a message. */
export const howToRotate =
  'rotate it now (`heroku pg:credentials:rotate` for a database, `heroku authorizations:rotate` for a Heroku token, ' +
  'the settings of its owner for a GitHub token)';

/**
 * The first such text in what starts a run, at any depth, keys included.
 *
 * @param fields names that may be told; what stands elsewhere, and may be a secret itself, is `another field`
 */
export function findSecretLike(
  value: unknown,
  fields: readonly string[],
  field = 'the input itself',
): { kind: string; field: string } | undefined {
  if (typeof value === 'string') {
    const kind = inInput(value);
    return kind === undefined ? undefined : { kind, field };
  }
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const kind = inInput(key);
    if (kind !== undefined) return { kind, field: 'the name of a field' };
    // A field of the input's own is checked by its schema: `credential` says which, and not what.
    if (secretName.test(key) && !fields.includes(key) && typeof inner === 'string' && inner !== '')
      return { kind: 'a named password or token', field: 'another field' };
    const found = findSecretLike(inner, fields, fields.includes(key) ? key : 'another field');
    if (found !== undefined) return found;
  }
  return undefined;
}
