import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Client, WorkflowHandle } from '@temporalio/client';
import type { stagingSoak } from '../workflows/index.ts';
import type { Status } from '../workflows/view.ts';
import { raptor, type RehearsedApp } from './apps.ts';

/** Raptor's staging. The stand-in's suite tests the app of its repository, so that each of the two apps has one. */
export const raptorStaging: RehearsedApp = {
  ...raptor,
  herokuApp: 'raxx-api-staging',
  addon: { name: 'raxx-api-staging', plan: 'standard-0' },
  repository: 'raxx-app/TradeMasterAPI-staging',
  issues: [],
};

/** A soak of seconds, of the app in its own repository. */
export function soakOfSeconds(staging: RehearsedApp, soak: Record<string, unknown> = {}) {
  return (target: Record<string, unknown>): void => {
    const { repository } = staging;
    Object.assign(target['smoke'] as object, { repository });
    Object.assign(target['pullRequest'] as object, { repository, pollSeconds: 1 });
    target['soak'] = { ...(target['soak'] as object | undefined), for: '6s', every: '3s', ...soak };
  };
}

/** The file with the public key, beside the target files. */
const publicKeyFile = 'staging-soak.pub.pem';

/** What a target file says that requires the certificate of an app's soak. */
export const certificateOf = (staging: string): Record<string, unknown> => ({
  kind: 'required',
  app: staging,
  key: publicKeyFile,
  maxAge: '1d',
});

/**
 * A key with which the worker signs certificates, and a folder in which it keeps them.
 *
 * @param dir scratch folder
 * @param targets folder of the target files, which gets the public key
 * @returns what the worker is started with
 */
export async function certificatesFor(dir: string, targets: string): Promise<Record<string, string>> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const folder = path.join(dir, 'certificates');
  const key = path.join(dir, `signing-${randomUUID()}.pem`);
  await mkdir(folder, { recursive: true });
  await writeFile(key, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  await writeFile(path.join(targets, publicKeyFile), publicKey.export({ type: 'spki', format: 'pem' }));
  return { CUTOVER_CERTIFICATES_DIR: folder, CUTOVER_SIGNING_KEY: key };
}

/** Starts the soak of an app. */
export async function startSoak(
  client: Client,
  taskQueue: string,
  app: RehearsedApp,
  requestedBy: string,
): Promise<WorkflowHandle<typeof stagingSoak>> {
  return client.workflow.start<typeof stagingSoak>('stagingSoak', {
    taskQueue,
    workflowId: `cutover-${app.herokuApp}`,
    args: [{ app: app.herokuApp, requestedBy }],
  });
}

/** What is wrong with how a soak went, or null. */
export function judgeSoak({ outcome, stage, items }: Status): string | null {
  if (outcome?.result !== 'completed') return `the soak is ${outcome?.result ?? stage}; expected completed`;
  const certified = items.find(({ id }) => id === 'certify');
  return certified?.did === 'observed' ? null : 'the soak has no certificate';
}
