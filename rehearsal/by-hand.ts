import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { RehearsedApp } from './apps.ts';
import type { Platform } from './platform.ts';
import { usualPort } from './rehearsal.ts';
import type { RehearsalTemporal } from './temporal.ts';
import type { Status } from '../workflows/view.ts';

/** The commands that a person types to do what the rehearsal would do by itself. */
export interface ByHand {
  start(): string;
  approve(status: Status): string[];
  merge(): string[];
}

/**
 * @param dir scratch folder; takes `rehearsal.env`, readable by this user only, so that no token stands in a command
 */
export async function createByHand(dir: string, temporal: RehearsalTemporal, platform: Platform, app: RehearsedApp): Promise<ByHand> {
  const envFile = path.join(dir, 'rehearsal.env');
  const lines = Object.entries(platform.workerEnv).map(([name, value]) => `export ${name}='${value}'`);
  await writeFile(envFile, `${lines.join('\n')}\n`, { mode: 0o600 });
  // As short as it may be: what the CLI would find or assume by itself is left out.
  const onPath = (process.env['PATH'] ?? '').split(path.delimiter).includes(path.dirname(temporal.cli));
  const cli = onPath ? 'temporal' : temporal.cli;
  const address = temporal.address === `127.0.0.1:${usualPort}` ? '' : ` --address ${temporal.address}`;
  const workflowId = `cutover-${app.herokuApp}`;

  return {
    start: () =>
      `${cli} workflow start${address} --type productionCutover --task-queue cutover --workflow-id ${workflowId} ` +
      `--input '{"app":"${app.herokuApp}","requestedBy":"<name>"}'`,
    approve(status) {
      const waiting = status.waitingFor;
      if (waiting === null) return [];
      const json = JSON.stringify(waiting.message);
      return [
        `On the command line:  ${cli} workflow signal${address} --workflow-id ${workflowId} --name ${waiting.signal} --input '${json}'`,
        `In the Web UI:        ${temporal.uiUrl ?? ''}/namespaces/default/workflows/${workflowId}`,
        `                      More Actions > Send a Signal > ${waiting.signal}, with ${json}`,
        ...(waiting.choices.length > 0 ? [`                      choices: ${waiting.choices.join(', ')}`] : []),
      ];
    },
    merge: () => [
      `Merge the pull request:  ( . ${envFile} && curl -s -X PUT -H "Authorization: Bearer $GITHUB_TOKEN" ` +
        `"$GITHUB_API_URL/repos/${app.repository}/pulls/${app.pull.number}/merge" )`,
    ],
  };
}
