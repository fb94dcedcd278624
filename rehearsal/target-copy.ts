import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { targetsFolder, type DeployedApp } from './apps.ts';

/** Changes a target file's content in place. */
export type TargetChange = (target: Record<string, unknown>) => void;

/**
 * Copies an app's shipped target file into another folder, for a rehearsal in which the file says something else.
 *
 * @param own the app as which it is rehearsed: its Heroku name and its add-on may be others
 */
export async function copyTarget(
  from: DeployedApp,
  own: DeployedApp,
  folder: string,
  change: TargetChange = () => undefined,
): Promise<void> {
  const text = await readFile(path.join(targetsFolder, `${from.herokuApp}.json`), 'utf8');
  const shipped = JSON.parse(text) as Record<string, Record<string, unknown>>;
  const { database, role } = shipped;
  if (database?.['addon'] !== undefined) database['addon'] = own.addon.name;
  // The file of the matrix is named relative to the shipped target file.
  if (typeof role?.['grants'] === 'string') role['grants'] = path.resolve(targetsFolder, role['grants']);
  const target: Record<string, unknown> = { ...shipped, app: own.herokuApp };
  change(target);
  await writeFile(path.join(folder, `${own.herokuApp}.json`), JSON.stringify(target, null, 2));
}
