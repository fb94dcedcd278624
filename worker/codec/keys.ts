import { readFileSync } from 'node:fs';

/** A key for payloads. Its id stands in clear beside whatever was encrypted with it. */
export interface EncryptionKey {
  readonly id: string;
  /** 32 bytes: AES-256. */
  readonly bytes: Buffer;
}

const entry = /^([\w.-]{1,64})=(file|env):(.+)$/;

/**
 * Reads keys from their references, `ID=file:PATH` or `ID=env:NAME`, with commas between them. The first encrypts; all
 * of them decrypt, so that a key is rotated by putting another one before it.
 *
 * @param environment where the variables of `env:` are looked up
 * @throws Error that says which reference is wrong, and never what a key is
 */
export function readKeys(references: string, environment: Readonly<NodeJS.ProcessEnv>): EncryptionKey[] {
  const keys = references.split(',').map((reference) => readKey(reference.trim(), environment));
  const twice = keys.find(({ id }, index) => keys.findIndex((other) => other.id === id) !== index);
  if (twice !== undefined) throw new Error(`names the key ${twice.id} twice; expected an id of its own for each`);
  return keys;
}

function readKey(reference: string, environment: Readonly<NodeJS.ProcessEnv>): EncryptionKey {
  const [, id, kind, place] = entry.exec(reference) ?? [];
  if (id === undefined || place === undefined)
    throw new Error('holds something other than ID=file:PATH or ID=env:NAME, with commas between them');
  const text = kind === 'file' ? readFile(id, place) : environment[place];
  if (text === undefined || text === '') throw new Error(`names ${place} for the key ${id}, which is not set`);
  const bytes = decoded(text.trim());
  if (bytes === undefined) {
    throw new Error(
      `names a key ${id} that is not 32 bytes in Base64 or hex; make one with \`openssl rand -base64 32\``,
    );
  }
  return { id, bytes };
}

function readFile(id: string, place: string): string {
  try {
    return readFileSync(place, 'utf8');
  } catch (error) {
    throw new Error(`names a file for the key ${id} that cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

function decoded(text: string): Buffer | undefined {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  return /^[A-Za-z0-9+/_-]{43}=?$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}
