import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { projectFolder } from '../../rehearsal/cluster/compose.ts';

/** A line of a Dockerfile. */
export interface Instruction {
  /** The number of its stage, from 0 on. */
  readonly stage: number;
  readonly keyword: string;
  readonly text: string;
}

/** The instructions of a Dockerfile, without comments, and with continued lines in one. */
export function instructionsOf(text: string): Instruction[] {
  const lines = text
    .split('\n')
    .filter((line) => !/^\s*(#|$)/.test(line))
    .join('\n')
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.trim());
  let stage = -1;
  return lines.map((line) => {
    const [, keyword = '', rest = ''] = /^(\S+)\s*(.*)$/.exec(line) ?? [];
    if (keyword === 'FROM') stage += 1;
    return { stage, keyword, text: rest };
  });
}

export async function readDockerfile(): Promise<Instruction[]> {
  return instructionsOf(await readFile(path.join(projectFolder, 'Dockerfile'), 'utf8'));
}

/** What `.dockerignore` lets into the build. */
export async function namesInContext(): Promise<string[]> {
  const lines = (await readFile(path.join(projectFolder, '.dockerignore'), 'utf8')).split('\n');
  const [first, ...rest] = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (first !== '*' || !rest.every((line) => /^![\w.-]+$/.test(line))) {
    throw new Error('.dockerignore is expected to keep everything out, and to let single names in');
  }
  return rest.map((line) => line.slice(1));
}

/** The files or folders that a COPY takes, and where to. */
export function copyOf({ text }: Instruction): { from: string | undefined; sources: string[]; target: string } {
  const words = text.split(/\s+/);
  const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length);
  const paths = words.filter((word) => !word.startsWith('--'));
  return { from, sources: paths.slice(0, -1), target: paths.at(-1) ?? '' };
}

/** The words of an instruction in exec form. */
export function execForm(text: string): string[] {
  return JSON.parse(text.slice(text.indexOf('['))) as string[];
}

/**
 * Does what the Dockerfile's first stage does, in a folder: its COPYs and its RUNs, with this machine's Node. What the
 * last one installs outside of the app's folder is left out.
 *
 * @param into an existing folder
 * @returns the folder of the app, as the image has it
 */
export async function buildWithoutDocker(into: string): Promise<string> {
  const app = path.join(into, 'app');
  await mkdir(app);
  const allowed = await namesInContext();
  for (const instruction of (await readDockerfile()).filter(({ stage }) => stage === 0)) {
    if (instruction.keyword === 'COPY') await copyInto(app, instruction, allowed);
    if (instruction.keyword === 'RUN') {
      await promisify(execFile)('/bin/sh', ['-c', instruction.text], { cwd: app, env: plainEnvironment() });
    }
  }
  const image = path.join(into, 'image');
  await rename(app, image);
  return image;
}

async function copyInto(app: string, instruction: Instruction, allowed: readonly string[]): Promise<void> {
  const { sources, target } = copyOf(instruction);
  for (const source of sources) {
    if (!allowed.includes(source)) throw new Error(`.dockerignore keeps ${source} out, which the Dockerfile copies`);
    const to = target.endsWith('/') ? path.join(app, target, source) : path.join(app, target);
    await cp(path.join(projectFolder, source), to, { recursive: true });
  }
}

/** Without what Jest and npm have set for the tests themselves. */
function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(NODE_OPTIONS|NODE_ENV|JEST_|RC_TEST_|npm_)/.test(name)),
  );
}
