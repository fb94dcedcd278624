import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { CertificateStore } from '../activities/services.ts';
import { isCertificateSignedBy, signCertificate } from '../audit/certificate.ts';
import type { WorkerConfig } from './config.ts';
import { replace } from './replace.ts';

/**
 * Keeps certificates in a folder: the newest of an app as `<app>.json`, and each as `<app>/<run>.json`.
 *
 * @param config of the worker: without a folder nothing is written, and what is read lies beside the target files
 */
export function createCertificateStore({
  certificatesFolder: folder,
  signingKey,
  targets,
}: Pick<WorkerConfig, 'certificatesFolder' | 'signingKey' | 'targets'>): CertificateStore {
  return {
    async issue(certificate) {
      const signature = signingKey === undefined ? null : await signCertificate(certificate, signingKey);
      if (folder === undefined) return { signature, file: null };
      const text = `${JSON.stringify({ certificate, signature }, null, 2)}\n`;
      const file = `${certificate.app}.json`;
      await mkdir(path.join(folder, certificate.app), { recursive: true });
      for (const name of [path.join(certificate.app, `${certificate.run.runId}.json`), file]) {
        await replace(path.join(folder, name), text);
      }
      return { signature, file };
    },
    read: (file) => readFile(path.resolve(folder ?? targets, file), 'utf8').catch(() => undefined),
    isSignedBy: isCertificateSignedBy,
  };
}
