import { spawn } from 'node:child_process';
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AuditError } from './audit-error.ts';
import { signatureFile } from './record-files.ts';

/** What an SSH signature of a record is for: one that was made for something else does not count. */
const recordNamespace = 'cutover-record';

/** Signs the manifest of a record; see `signText`. */
export function signManifest(manifest: string, keyFile: string): Promise<Uint8Array> {
  return signText(manifest, keyFile, recordNamespace);
}

/**
 * Signs a text.
 *
 * @param keyFile an Ed25519 key in PEM, or any key that `ssh-keygen -Y sign` takes: a private key, or the public one of
 *   a key that an agent holds
 * @param namespace what an SSH signature is for
 * @returns 64 bytes as `openssl pkeyutl -rawin` makes them, or an armoured SSH signature
 * @throws AuditError
 */
export async function signText(text: string, keyFile: string, namespace: string): Promise<Uint8Array> {
  const key = await readKey(keyFile);
  if (!isPem(key)) return sshSign(text, keyFile, namespace);
  try {
    const parsed = createPrivateKey(key);
    if (parsed.asymmetricKeyType === 'ed25519') return sign(null, Buffer.from(text), parsed);
  } catch {
    // Not shown: the cause could quote the key.
  }
  throw new AuditError(
    `${keyFile} is no private Ed25519 key in PEM without a passphrase. Make one with \`openssl genpkey -algorithm ed25519\`, or give an SSH key.`,
  );
}

/**
 * True where the signature of a manifest is the key owner's.
 *
 * @param keyFile the public key: PEM, or a line as in `id_ed25519.pub`
 * @throws AuditError where the key cannot be used
 */
export async function isSignedBy(manifest: string, signature: Buffer, keyFile: string): Promise<boolean> {
  return isSignedByKey(manifest, signature, { text: await readKey(keyFile), name: keyFile }, recordNamespace);
}

/**
 * The same of any text, and of a key that was read already.
 *
 * @param namespace what an SSH signature must be for
 * @throws AuditError where the key cannot be used
 */
export async function isSignedByKey(
  text: string,
  signature: Buffer,
  key: { readonly text: string; readonly name: string },
  namespace: string,
): Promise<boolean> {
  if (!isPem(key.text)) return sshVerify(text, signature, key, namespace);
  try {
    const parsed = createPublicKey(key.text);
    if (parsed.asymmetricKeyType === 'ed25519') return verify(null, Buffer.from(text), parsed, signature);
  } catch {
    // As above.
  }
  throw new AuditError(`${key.name} is no public Ed25519 key in PEM. Give the one that belongs to the signer's key.`);
}

export async function readKey(keyFile: string): Promise<string> {
  return readFile(keyFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new AuditError(
      `The key ${keyFile} cannot be read (${error.code ?? 'unknown'}). Give the path of a key file.`,
    );
  });
}

function isPem(key: string): boolean {
  return /^-----BEGIN (?!OPENSSH)/m.test(key);
}

async function sshSign(text: string, keyFile: string, namespace: string): Promise<Uint8Array> {
  return inScratch(async (dir) => {
    const file = path.join(dir, 'SHA256SUMS');
    await writeFile(file, text);
    const { code, said } = await sshKeygen(['-Y', 'sign', '-n', namespace, '-f', path.resolve(keyFile), file]);
    if (code !== 0) throw new AuditError(`ssh-keygen did not sign with ${keyFile}: ${said}. Give a key that it takes.`);
    return readFile(`${file}.sig`);
  });
}

async function sshVerify(
  text: string,
  signature: Buffer,
  key: { readonly text: string; readonly name: string },
  namespace: string,
): Promise<boolean> {
  const line = key.text.split('\n').find((one) => /^(ssh|ecdsa|sk)-\S+ \S+/.test(one));
  if (line === undefined) {
    throw new AuditError(`${key.name} is no public key. Give one in PEM, or the .pub file of an SSH key.`);
  }
  return inScratch(async (dir) => {
    const signers = path.join(dir, 'signers');
    const file = path.join(dir, signatureFile);
    await writeFile(signers, `signer namespaces="${namespace}" ${line}\n`);
    await writeFile(file, signature);
    const { code } = await sshKeygen(
      ['-Y', 'verify', '-n', namespace, '-f', signers, '-I', 'signer', '-s', file],
      text,
    );
    return code === 0;
  });
}

async function inScratch<T>(work: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(path.join(tmpdir(), 'cutover-signature-'));
  try {
    return await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** @param input for its standard input; without one it may ask for a passphrase on the terminal */
function sshKeygen(args: readonly string[], input?: string): Promise<{ code: number | null; said: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('ssh-keygen', args, { stdio: [input === undefined ? 'inherit' : 'pipe', 'ignore', 'pipe'] });
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
    child.once('error', () =>
      reject(new AuditError('ssh-keygen was not found. Install OpenSSH, or sign with an Ed25519 key in PEM.')),
    );
    child.once('close', (code) => resolve({ code, said: said.trim().split('\n').at(-1) ?? '' }));
    child.stdin?.on('error', () => undefined).end(input);
  });
}
