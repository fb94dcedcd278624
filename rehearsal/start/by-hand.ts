import { accessSync, constants } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { DeployedApp } from '../apps.ts';
import type { WaitingFor } from '../../workflows/view.ts';
import { taskQueue, type Rehearsal } from './set-up.ts';
import { exportLines, shellWord } from './text.ts';

/** What a person types to do what the rehearsal would do by itself: lines, each command on one of its own. */
export interface ByHand {
  start(): string[];
  /** A message to a run that is not there yet: its digest is still to be filled in. */
  approveSomeGate(): string[];
  /** The message that a run waits for. */
  answer(waiting: WaitingFor): string[];
  merge(): string[];
  /** How CLI and Web UI read what is encrypted: no lines where nothing is. */
  reading(): string[];
}

/** Writes `rehearsal.env` into the scratch folder, for this user only, so that no token has to stand in a command. */
export async function createByHand(
  { dir, temporal, platform, encryption }: Rehearsal,
  app: DeployedApp,
): Promise<ByHand> {
  const envFile = path.join(dir, 'rehearsal.env');
  const variables = exportLines({ ...platform.workerEnv, ...encryption?.handEnv });
  await writeFile(envFile, `${variables.join('\n')}\n`, { mode: 0o600 });

  const cli = firstOnPath('temporal') === temporal.cli ? 'temporal' : shellWord(temporal.cli);
  const workflowId = `cutover-${app.herokuApp}`;
  const page = `${temporal.uiUrl ?? ''}/namespaces/default/workflows/${workflowId}`;
  // Always with the address: a profile or TEMPORAL_ADDRESS of the user's may lead the CLI to a production server.
  const workflow = (verb: string, rest: string): string => {
    const command = `${cli} workflow ${verb} --address ${temporal.address} --workflow-id ${workflowId} ${rest}`;
    if (encryption === undefined) return `  ${command}`;
    const codec = '--codec-endpoint "$CODEC_ENDPOINT" --codec-auth "$CODEC_AUTH"';
    return `  ( . ${shellWord(envFile)} && ${command.trimEnd()} ${codec} )`;
  };
  const signal = (name: string, json: string): string =>
    workflow('signal', `--name ${name} --input ${shellWord(json)}`);

  return {
    start: () => [
      'Start a run:',
      workflow(
        'start',
        `--type productionCutover --task-queue ${taskQueue} --input '{"app":"${app.herokuApp}","requestedBy":"<your name>"}' ` +
          `--static-summary 'Cutover of ${app.herokuApp}' --static-details 'What it waits for stands under Current Details.'`,
      ),
      'See what it waits for, with the message that would move it (so does its page in the Web UI, under User Metadata):',
      workflow('query', '--type status --output json'),
      'See where it stands when no worker is up to answer:',
      workflow('describe', '').trimEnd(),
    ],
    approveSomeGate: () => [
      'Approve a gate, once it asks:',
      signal('approve', '{"gate":"go","by":"<your name>","plan":"<digest of the plan>"}'),
    ],
    answer({ signal: name, message, choices }) {
      const json = JSON.stringify(message);
      return [
        'On the command line:',
        signal(name, json),
        `Or in the Web UI, ${page}`,
        `  More Actions > Send a Signal > ${name}, with`,
        // In lines, as its dialogue lays it out: workflows/details.ts says why.
        ...JSON.stringify(message, null, 2)
          .split('\n')
          .map((line) => `  ${line}`),
        ...(choices.length > 0 ? [`The action may be: ${choices.join(', ')}`] : []),
      ];
    },
    reading: () =>
      encryption === undefined
        ? []
        : [
            `codec     ${encryption.server.url}: payloads are encrypted, and it reads them for whoever has its token`,
            `          CLI: ( . ${shellWord(envFile)} && temporal … --codec-endpoint "$CODEC_ENDPOINT" --codec-auth "$CODEC_AUTH" )`,
            `          Web UI: the endpoint is CODEC_ENDPOINT_FOR_WEB_UI in ${envFile}; set it in the page's codec server settings`,
          ],
    merge: () => [
      `Merge pull request #${app.pull.number}:`,
      `  ( . ${shellWord(envFile)} && curl -fsS --noproxy '*' -X PUT -H "Authorization: Bearer $GITHUB_TOKEN" ` +
        `"$GITHUB_API_URL/repos/${app.repository}/pulls/${app.pull.number}/merge" )`,
    ],
  };
}

/** The file that a shell would run for a name. */
function firstOnPath(name: string): string | undefined {
  const files = (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .filter(Boolean)
    .map((folder) => path.resolve(folder, name));
  return files.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
