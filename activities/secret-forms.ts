/** What stands in the place of a secret. */
export const replacement = '[redacted]';

/** How often JSON or a URL may have been put into another one, each time escaping what the last one wrote. */
const nested = 8;

/**
 * Finds one secret in every form in which it could leave: as it is; percent-encoded, wholly or in part; escaped by
 * JSON, in JSON within JSON too; and in Base64, plain and URL-safe, wherever in the encoded bytes it begins.
 */
export class SecretForms {
  readonly length: number;
  readonly #text: RegExp;
  readonly #base64: readonly string[];

  constructor(secret: string) {
    this.length = secret.length;
    this.#text = new RegExp([...secret].map(anyFormOf).join(''), 'g');
    this.#base64 = [...new Set(writings(secret).flatMap(base64Cores))];
  }

  /** The text with every place of the secret replaced. */
  redact(text: string): string {
    let redacted = text.replace(this.#text, replacement);
    for (const core of this.#base64) {
      if (!redacted.includes(core)) continue;
      // The characters beside the core hold some bits of the secret, and some of what stood beside it.
      redacted = redacted.replace(
        new RegExp(`[A-Za-z0-9+/_-]{0,3}${escaped(core)}[A-Za-z0-9+/_-]?={0,2}`, 'g'),
        replacement,
      );
    }
    return redacted;
  }
}

/** The text without any of the secrets, the longest first, so that a URL does not survive its password. */
export function redactAll(text: string, secrets: Iterable<SecretForms>): string {
  let redacted = text;
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) redacted = secret.redact(redacted);
  return redacted;
}

/**
 * JSON without the secrets, which is still JSON: a secret may be a number, and then it cannot be replaced in the text.
 *
 * @param redact replaces the secrets of a text
 */
export function redactJson(json: string, redact: (text: string) => string): string {
  const redacted = redact(json);
  if (redacted === json) return json;
  try {
    JSON.parse(redacted);
    return redacted;
  } catch {
    return JSON.stringify(redactParsed(JSON.parse(json), redact));
  }
}

function redactParsed(value: unknown, redact: (text: string) => string): unknown {
  if (Array.isArray(value)) return value.map((inner) => redactParsed(inner, redact));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [redact(key), redactParsed(inner, redact)]));
  }
  if (typeof value !== 'string' && typeof value !== 'number') return value;
  const text = String(value);
  const redacted = redact(text);
  return redacted === text ? value : redacted;
}

/** A pattern for one character, however it is written. */
function anyFormOf(character: string): string {
  const bytes = [...Buffer.from(character)].map((byte) => byte.toString(16).padStart(2, '0'));
  const units = Array.from({ length: character.length }, (_, at) =>
    character.charCodeAt(at).toString(16).padStart(4, '0'),
  );
  // The longer ones first: % itself is the beginning of %25.
  const forms = [
    bytes.map((byte) => `%(?:25){0,${nested}}${anyCase(byte)}`).join(''),
    units.map((unit) => `\\\\{1,${nested}}u${anyCase(unit)}`).join(''),
  ];
  const letter = { '\n': 'n', '\r': 'r', '\t': 't', '\b': 'b', '\f': 'f' }[character];
  if (letter !== undefined) forms.push(`\\\\{1,${nested}}${letter}`);
  if (character === ' ') forms.push('\\+');
  forms.push(plainForm(character));
  return `(?:${forms.join('|')})`;
}

function plainForm(character: string): string {
  if (character === '\\') return `\\\\{1,${nested}}`;
  if (character === '"' || character === '/') return `\\\\{0,${nested}}${character}`;
  return escaped(character);
}

function anyCase(hex: string): string {
  return hex.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

/** What may have been put into Base64: there it cannot be looked for in any mixture, only as one encoder writes it. */
function writings(secret: string): string[] {
  // A lone surrogate, which no service sends, would make the encoders throw.
  const text = Buffer.from(secret).toString();
  const inForm = new URLSearchParams([['', text]]).toString().slice(1);
  return [secret, encodeURIComponent(text), encodeURI(text), inForm, JSON.stringify(secret).slice(1, -1)];
}

/** The characters that Base64 has for a text alone, whatever stands before and behind it: one core for each alignment. */
function base64Cores(text: string): string[] {
  const bytes = Buffer.from(text);
  return [0, 1, 2].flatMap((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
    const core = encoded.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
    return [core, core.replaceAll('+', '-').replaceAll('/', '_')];
  });
}
