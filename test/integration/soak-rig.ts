import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { RehearsedApp } from '../../rehearsal/apps.ts';
import { startPostgres } from '../../rehearsal/postgres.ts';
import { certificateOf, certificatesFor, raptorStaging, soakOfSeconds, startSoak } from '../../rehearsal/soak.ts';
import { createRig, type CutoverHandle, type Rig } from './cutover-rig.ts';

/** A rig whose workers sign certificates, with a staging app on a server of its own. */
export interface SoakRig {
  readonly rig: Rig;
  readonly staging: RehearsedApp;
  /** Folder of certificates, and files with the keys. */
  readonly certificates: string;
  readonly signingKey: string;
  readonly publicKey: string;
  /** What the target file of production says that requires the certificate of that app. */
  readonly required: Record<string, unknown>;
  start(): Promise<CutoverHandle>;
  close(): Promise<void>;
}

/** @param soak what the target file says of it besides its seconds */
export async function createSoakRig(soak: Record<string, unknown> = {}): Promise<SoakRig> {
  const dir = await mkdtemp(path.join(tmpdir(), 'cutover-soak-'));
  const workerEnv = await certificatesFor(dir, dir);
  const rig = await createRig({ workerEnv });
  const databases = path.join(dir, 'postgres');
  await mkdir(databases);
  const postgres = await startPostgres({ dir: databases });
  const staging = await rig.add(raptorStaging, { addon: { postgres }, target: soakOfSeconds(raptorStaging, soak) });
  const { key, ...wanted } = certificateOf(staging.herokuApp);
  const publicKey = path.join(dir, String(key));
  const taskQueue = rig.workerEnv['CUTOVER_TASK_QUEUE'] ?? '';
  return {
    rig,
    staging,
    certificates: workerEnv['CUTOVER_CERTIFICATES_DIR'] ?? '',
    signingKey: workerEnv['CUTOVER_SIGNING_KEY'] ?? '',
    publicKey,
    required: { ...wanted, key: publicKey },
    start: async () => (await startSoak(rig.client, taskQueue, staging, 'Rita')) as unknown as CutoverHandle,
    async close() {
      await rig.close();
      await postgres.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
