import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { fail } from '../activities/fail.ts';
import { readMatrix } from '../activities/matrix.ts';
import { schemaShape, type SchemaShape } from '../activities/schema-shape.ts';
import { targetSchema, type TargetFile, type TargetStore } from '../activities/target.ts';

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
      const beside = async (name: string, field: string): Promise<string> => {
        const content = await readFile(path.resolve(folder, name), 'utf8').catch(() => undefined);
        if (content === undefined) throw invalid(app, [`${field}: the file ${name} cannot be read`]);
        return content;
      };
      const { grants } = target.role;
      const { fingerprint } = target.schema;
      // A matrix in the app's repository is read where it is used, at the commit that is deployed then.
      const matrix = typeof grants === 'string' ? await beside(grants, 'role.grants') : null;
      const shape = fingerprint === undefined ? null : await beside(fingerprint, 'schema.fingerprint');
      const { stagingCertificate: wanted } = target;
      const key = wanted.kind === 'required' ? await beside(wanted.key, 'stagingCertificate.key') : null;
      return {
        ...target,
        digest: sha256(text, matrix ?? '', shape ?? '', ...(key === null ? [] : [key])),
        certificateKey: key,
        matrix: matrix === null ? null : readMatrix(app, matrix),
        expectedSchema: shape === null ? null : parseShape(app, shape),
      };
    },
  };
}

/**
 * Reads every target file of a folder.
 *
 * @returns a sentence for each file with mistakes, and the apps of those without
 */
export async function checkTargets(folder: string): Promise<{ apps: string[]; problems: string[] }> {
  const store = createTargetStore(folder);
  const apps: string[] = [];
  const problems: string[] = [];
  for (const app of await knownApps(folder)) {
    try {
      apps.push((await store.read(app)).app);
    } catch (error) {
      if (!(error instanceof ApplicationFailure)) throw error;
      problems.push(error.message);
    }
  }
  return { apps, problems };
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

function parseShape(app: string, text: string): SchemaShape {
  try {
    return schemaShape.parse(JSON.parse(text));
  } catch (error) {
    throw invalid(app, [`schema.fingerprint: not what a rehearsal writes: ${(error as Error).message.slice(0, 200)}`]);
  }
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

function sha256(...texts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(String(text.length)).update('\0').update(text);
  return hash.digest('hex');
}
