import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import { startPlatform, type Platform } from '../../rehearsal/platform.ts';
import { copyTarget } from '../../rehearsal/target-copy.ts';
import type { Place } from '../measurement.ts';

/** An app that nobody has touched, on stand-ins of its own. */
export interface Stage {
  readonly dir: string;
  readonly app: RehearsedApp;
  readonly platform: Platform;
  /** What a worker of it is started with, but for Temporal. */
  readonly workerEnv: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/**
 * Deploys an app as its cutover finds it, with its pull request merged and deployed: waiting for people is no part of what
 * is measured.
 *
 * @param name of the app: a run of its own for each
 */
export async function setStage({ dir: parent, signal }: Place, name: string, pythonBin: string): Promise<Stage> {
  const dir = path.join(parent, name);
  const targets = path.join(dir, 'targets');
  await mkdir(targets, { recursive: true });
  const app: RehearsedApp = { ...raptor, herokuApp: name };
  const platform = await startPlatform({ dir, pythonBin, signal });
  try {
    await copyTarget(raptor, app, targets);
    await platform.addApp(app, { merged: true });
  } catch (error) {
    await platform.stop();
    throw error;
  }
  const workerEnv = { ...platform.workerEnv, CUTOVER_TARGETS: targets };
  return { dir, app, platform, workerEnv, stop: () => platform.stop() };
}
