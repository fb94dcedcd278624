import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { CertificateStore } from '../../../activities/services.ts';
import { createCertificateStore } from '../../../worker/certificates.ts';

export interface CertificateKit {
  readonly dir: string;
  /** In PEM. */
  readonly publicKey: string;
  readonly publicKeyFile: string;
  readonly keyFile: string;
  /** Folder of certificates. */
  readonly folder: string;
  readonly store: CertificateStore;
  remove(): void;
}

/** A worker's store of certificates on this disk, with a key of its own. */
export function certificateKit(): CertificateKit {
  const dir = mkdtempSync(path.join(tmpdir(), 'cutover-certificates-'));
  const folder = path.join(dir, 'kept');
  mkdirSync(folder);
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const keyFile = path.join(dir, 'key.pem');
  const publicKeyFile = path.join(dir, 'key.pub.pem');
  const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
  writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  writeFileSync(publicKeyFile, pem);
  return {
    dir,
    publicKey: pem,
    publicKeyFile,
    keyFile,
    folder,
    store: createCertificateStore({ certificatesFolder: folder, signingKey: keyFile, targets: dir }),
    remove: () => rmSync(dir, { recursive: true }),
  };
}
