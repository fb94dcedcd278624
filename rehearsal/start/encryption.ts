import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { EncryptionCodec } from '../../worker/codec/encryption.ts';
import { readKeys } from '../../worker/codec/keys.ts';
import { startCodecServer, type CodecServer } from '../../worker/codec/server.ts';

/** What makes a rehearsal encrypt, as production would: a key by reference, and a codec server to read with. */
export interface Encryption {
  /** Added to the worker's environment. */
  readonly workerEnv: Readonly<Record<string, string>>;
  /** For the rehearsal's own client. */
  readonly codec: EncryptionCodec;
  readonly server: CodecServer;
  /** For whoever uses CLI and Web UI by hand: variables with the addresses and the token. */
  readonly handEnv: Readonly<Record<string, string>>;
}

/**
 * Makes a key for this run, and starts the codec server.
 *
 * @param dir takes the key, for this user only
 * @param origin the Web UI's
 */
export async function startEncryption(dir: string, origin: string): Promise<Encryption> {
  const file = path.join(dir, 'payloads.key');
  await writeFile(file, randomBytes(32).toString('base64'), { mode: 0o600 });
  const references = `rehearsal=file:${file}`;
  const keys = readKeys(references, {});
  const token = randomBytes(24).toString('base64url');
  const server = await startCodecServer({ keys, port: 0, origin, token });
  return {
    workerEnv: { CUTOVER_ENCRYPTION_KEYS: references },
    codec: new EncryptionCodec(keys, 'client'),
    server,
    handEnv: {
      CODEC_ENDPOINT: server.url,
      CODEC_AUTH: `Bearer ${token}`,
      // The Web UI sends a header only for users that have logged in to it.
      CODEC_ENDPOINT_FOR_WEB_UI: `${server.url}/${token}`,
    },
  };
}
