import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { targetsFolder, type RehearsedApp } from '../apps.ts';
import type { OwnApp } from '../own-app/read.ts';
import { writeOwnTarget } from '../own-app/write-target.ts';
import type { Scenario } from '../scenarios.ts';
import { certificatesFor, soakOfSeconds } from '../soak.ts';
import { copyTarget } from '../target-copy.ts';
import type { Staging } from './set-up.ts';
import type { Terminal } from './terminal.ts';
import { plain } from './text.ts';

/** One of this repository's apps, in a scenario. */
export function stageShipped(app: RehearsedApp, { options, target: changes, soak }: Scenario): Staging {
  return {
    app,
    options,
    async targets({ dir }) {
      if (changes === undefined) return targetsFolder;
      const folder = path.join(dir, 'targets');
      await mkdir(folder);
      await copyTarget(app, app, folder, (target) => Object.assign(target, changes));
      if (soak !== undefined) await copyTarget(soak, soak, folder, soakOfSeconds(soak));
      return folder;
    },
    ...(soak === undefined ? {} : { workerEnv: certificatesFor }),
  };
}

/** The user's app, as its own folder and target file say. Says what was found that the target file leaves out. */
export function stageOwn(own: OwnApp, terminal: Terminal): Staging {
  return {
    ...own,
    async targets({ dir, platform, pythonBin, signal }) {
      const folder = path.join(dir, 'targets');
      terminal.busy('looking what the app makes of an empty database');
      const seen = await writeOwnTarget(own, { postgres: platform.postgres, pythonBin, folder, signal });
      for (const line of [...own.found, ...seen]) terminal.line(plain(`  found     ${line}`));
      return folder;
    },
  };
}
