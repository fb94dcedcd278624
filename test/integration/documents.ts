import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/** A command of Temporal's CLI that a document tells people to type. */
export interface DocumentedCommand {
  readonly file: string;
  /** As it is printed, on one or several lines. */
  readonly text: string;
  /** What tells it from the others of its document: its verb, and the name or type that it is about. */
  readonly key: string;
}

/** README and the guides. The example record is no guide. */
export async function documents(): Promise<{ file: string; text: string }[]> {
  const guides = (await readdir('docs')).filter((name) => name.endsWith('.md')).sort();
  const files = ['README.md', 'CONTRIBUTING.md', ...guides.map((name) => path.posix.join('docs', name))];
  return Promise.all(files.map(async (file) => ({ file, text: await readFile(file, 'utf8') })));
}

/** Wherever it stands: what the CLI's commands begin with. */
const anyCommand =
  /\btemporal\s+(activity|batch|config|env|nexus|operator|schedule|server|task-queue|worker|workflow)\s+(?=[a-z\\-])/g;

/**
 * The commands of the CLI in a document: those that stand in its fenced blocks.
 *
 * @throws when one stands elsewhere: it would not be seen here, and so not be run
 */
export function commandsOf({ file, text }: { file: string; text: string }): DocumentedCommand[] {
  const blocks = [...text.matchAll(/^(?<fence>`{3,})\w*\n(?<content>.*?)^\k<fence>$/gms)].map(
    (match) => match.groups?.['content'] ?? '',
  );
  const commands = blocks
    .flatMap((block) => block.replaceAll('\\\n', '\\\0').split('\n'))
    .map((line) => line.replaceAll('\0', '\n').trim())
    .filter((line) => line.startsWith('temporal '));
  const mentioned = [...text.matchAll(anyCommand)].length;
  if (mentioned !== commands.length) {
    throw new Error(
      `${file} has ${mentioned} commands of Temporal's CLI and ${commands.length} of them at the beginning of a line in a ` +
        'fenced block: put each there, so that it can be run by a test',
    );
  }
  return commands.map((command) => ({ file, text: command, key: `${file}: ${keyOf(command)}` }));
}

function keyOf(command: string): string {
  const verb = /^temporal ((?:worker )?[a-z-]+ [a-z-]+)/.exec(command)?.[1] ?? command;
  const about = /--(?:name|type) (\S+)/.exec(command)?.[1];
  const mode = /"mode":"([^"]+)"/.exec(command)?.[1];
  return [verb, about, mode].filter((word) => word !== undefined).join(' ');
}

/**
 * A command with its placeholders filled in, which are all that stands in `<…>`.
 *
 * @throws when it has one that is not given
 */
export function filledIn(command: string, values: Readonly<Record<string, string>>): string {
  return command.replace(/<[^<>]+>/g, (placeholder) => {
    const value = values[placeholder];
    if (value === undefined) throw new Error(`nobody says what stands for ${placeholder} in: ${command}`);
    return value;
  });
}
