import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fail } from '../activities/fail.ts';
import { targetSchema, type TargetFile, type TargetStore } from '../activities/target.ts';

/** The only statements that a grant matrix may hold: anything else could do more than grant and revoke. */
const matrixStatement = /^(GRANT|REVOKE|ALTER\s+DEFAULT\s+PRIVILEGES)\s/i;

/**
 * Target files of a folder, one an app, named `<app>.json`. Read at every use, so that a corrected file counts at once
 * and a changed one is noticed by its digest.
 *
 * @param folder path of the folder
 */
export function createTargetStore(folder: string): TargetStore {
  return {
    async read(app) {
      const file = path.join(folder, `${app}.json`);
      const text = await readFile(file, 'utf8').catch(() => undefined);
      if (text === undefined) {
        throw fail(
          'UnknownApp',
          `There is no target file for ${app}; this worker knows ${(await knownApps(folder)).join(', ') || 'none'}. Correct the app's name, or add ${app}.json to the worker's targets.`,
        );
      }
      const target = parseTarget(app, text);
      const matrixFile = path.resolve(folder, target.role.grants);
      const matrixText = await readFile(matrixFile, 'utf8').catch(() => undefined);
      if (matrixText === undefined) throw invalid(app, [`role.grants: the file ${target.role.grants} cannot be read`]);
      return {
        ...target,
        digest: sha256(text, matrixText),
        matrix: readMatrix(app, matrixText),
        matrixDigest: sha256(matrixText),
      };
    },
  };
}

function parseTarget(app: string, text: string): TargetFile {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw invalid(app, [`not JSON: ${(error as Error).message}`]);
  }
  const parsed = targetSchema.safeParse(json);
  if (!parsed.success)
    throw invalid(
      app,
      parsed.error.issues.map((issue) => `${issue.path.join('.') || 'file'}: ${issue.message}`),
    );
  if (parsed.data.app !== app)
    throw invalid(app, [`app: it says ${parsed.data.app}, and the file is named ${app}.json`]);
  return parsed.data;
}

/**
 * The statements of a grant matrix, comments taken off.
 *
 * @throws ApplicationFailure `GrantMatrixInvalid`
 */
export function readMatrix(app: string, text: string): string[] {
  const plain = text.replace(/--[^\n]*/g, '');
  // Quotes and dollar quotes could hide a statement from the splitting below, and plain names need none.
  const quote = /['"$]|\/\*/.exec(plain)?.[0];
  if (quote !== undefined) throw matrixInvalid(app, `it holds ${quote}; expected plain names and -- comments only`);
  const statements = plain
    .split(';')
    .map((part) => part.replace(/\s+/g, ' ').trim())
    .filter((part) => part !== '');
  const other = statements.find((one) => !matrixStatement.test(one));
  if (other !== undefined)
    throw matrixInvalid(
      app,
      `it holds \`${other.slice(0, 80)}\`; expected GRANT, REVOKE and ALTER DEFAULT PRIVILEGES only`,
    );
  if (statements.length === 0) throw matrixInvalid(app, 'it holds no statement');
  return statements;
}

async function knownApps(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((): string[] => []);
  return names
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -'.json'.length))
    .sort();
}

function invalid(app: string, mistakes: readonly string[]) {
  return fail(
    'TargetFileInvalid',
    `The target file of ${app} has ${mistakes.length} mistake(s): ${mistakes.join('; ')}. Correct all of them, then start again.`,
  );
}

function matrixInvalid(app: string, problem: string) {
  return fail(
    'GrantMatrixInvalid',
    `The grant matrix of ${app} was refused: ${problem}. Correct the file, then start again.`,
  );
}

function sha256(...texts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(String(text.length)).update('\0').update(text);
  return hash.digest('hex');
}
