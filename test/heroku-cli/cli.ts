import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Platform } from '../../rehearsal/platform.ts';
import { runTool } from '../../rehearsal/run-tool.ts';

/** How a line that was typed ended. */
export interface Said {
  readonly code: number | undefined;
  readonly stdout: string;
  /** Both streams, as one text: without colours, and with the CLI's folded lines made whole again. */
  readonly text: string;
}

/** A shell in which the official CLI is pointed at a platform, as `npm run platform` says it. */
export interface Shell {
  /** Types a line. */
  type(line: string, env?: Readonly<Record<string, string>>): Promise<Said>;
  /** Types a line that is to succeed. */
  succeed(line: string): Promise<Said>;
  close(): Promise<void>;
}

/** More than any command here takes, on a machine that does much else. */
const limitMs = 90_000;

export async function openShell({ cliEnv }: Pick<Platform, 'cliEnv'>): Promise<Shell> {
  const bin = process.env['RC_TEST_HEROKU_CLI_BIN'];
  if (bin === undefined)
    throw new Error('the official CLI is not here: these tests run under `npm run test:heroku-cli`');
  const home = await mkdtemp(path.join(tmpdir(), 'heroku-cli-home-'));
  const shell: Shell = {
    async type(line, env = {}) {
      const { code, stdout, output } = await runTool('/bin/sh', ['-c', line], {
        cwd: home,
        limitMs,
        env: {
          HOME: home,
          LANG: 'C.UTF-8',
          TERM: 'dumb',
          PATH: [bin, path.dirname(process.execPath), process.env['PATH']].join(':'),
          ...cliEnv,
          ...env,
        },
      });
      return { code, stdout, text: unfolded(output) };
    },
    async succeed(line) {
      const said = await shell.type(line);
      if (said.code !== 0) throw new Error(`\`${line}\` ended with ${said.code}: ${said.text}`);
      return said;
    },
    close: () => rm(home, { recursive: true, force: true }),
  };
  return shell;
}

/** The CLI folds what it says of errors and warnings at 80 columns, behind a margin. */
function unfolded(output: string): string {
  return output.replace(/\x1b\[[\d;?]*[A-Za-z]/g, '').replace(/ *\n(?: ›| {3}) +/g, ' ');
}
