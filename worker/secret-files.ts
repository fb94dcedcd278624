import { readFileSync, statSync } from 'node:fs';

/** A secret of the configuration: as it was at the start, and the file that says what it is now, where there is one. */
export interface ConfiguredSecret {
  readonly value: string;
  readonly file?: string | undefined;
}

/** Told when a file's secret has changed, or cannot be taken from it; the text holds no secret. */
export type SecretNotice = (level: 'info' | 'warn', text: string) => void;

/** One word that can stand in a header. */
const oneWord = /^[\x21-\x7e]+$/;

/**
 * The secret that a file holds, without the white space around it.
 *
 * @throws Error that says what is wrong with the file, and nothing of what it holds
 */
export function readSecretFile(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new Error(
      `cannot be read (${(error as NodeJS.ErrnoException).code}); expected the path of a file with the secret`,
    );
  }
  if (text === '') throw new Error('names an empty file; expected one with the secret');
  if (!oneWord.test(text)) throw new Error('names a file with more than one word; expected the secret alone');
  return text;
}

/**
 * Reads each of these secrets from its file where `<NAME>_FILE` names one.
 *
 * @param names of the variables, without `_FILE`
 * @returns the variables with those secrets in their places, the files by name, and a sentence for each mistake
 */
export function withSecretFiles(names: readonly string[], variables: NodeJS.ProcessEnv) {
  const found: NodeJS.ProcessEnv = { ...variables };
  const files: Record<string, string> = {};
  const problems: string[] = [];
  for (const name of names) {
    const file = variables[`${name}_FILE`];
    if (variables[name] !== undefined && !oneWord.test(variables[name])) {
      problems.push(`${name} holds more than one word; expected the secret alone`);
    }
    if (file === undefined) continue;
    if (variables[name] !== undefined) {
      problems.push(`${name} and ${name}_FILE are both set; expected one of them`);
      continue;
    }
    try {
      found[name] = readSecretFile(file);
      files[name] = file;
    } catch (error) {
      problems.push(`${name}_FILE ${(error as Error).message}`);
      // Not missing as well: that would name one mistake twice.
      found[name] = 'unread';
    }
  }
  return { variables: found, files, problems };
}

/**
 * A secret as its file has it now: looked at before each use, so that a rotated token is taken without a restart. While
 * the file is away or holds something else, the last one stays in use.
 *
 * @param learn told each new secret before anybody can use it
 * @param name of the variable, for what is said
 */
export function createSecretSource(
  { value, file }: ConfiguredSecret,
  { name, learn, notice }: { name: string; learn: (secret: string) => void; notice: SecretNotice },
): () => string {
  learn(value);
  if (file === undefined) return () => value;
  let current = value;
  // Of no file: what was read at the start may have been replaced since.
  let seen = '';
  return () => {
    const stamp = stampOf(file);
    if (stamp === seen) return current;
    seen = stamp;
    try {
      const next = readSecretFile(file);
      if (next === current) return current;
      learn(next);
      current = next;
      notice('info', `${name}_FILE has changed, and what it holds now is used`);
    } catch (error) {
      notice('warn', `${name}_FILE ${(error as Error).message}; what it held before stays in use`);
    }
    return current;
  };
}

/** What changes with a file: written in place, replaced by a rename, or reached by another link as in a mounted secret. */
function stampOf(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false });
  return found === undefined ? 'away' : `${found.dev}:${found.ino}:${found.size}:${found.mtimeMs}:${found.ctimeMs}`;
}
