import { AuditError } from './audit-error.ts';
import { UsageError } from './options.ts';
import { plain } from './words.ts';

/**
 * Runs a command: what it says is made harmless for a terminal line by line, and what goes wrong is a sentence.
 *
 * @param usage shown beside a mistake in how the command was called
 */
export async function command(usage: string, work: (say: (text: string) => void) => Promise<void>): Promise<void> {
  const lines = (text: string): string => `${text.split('\n').map(plain).join('\n')}\n`;
  // A reader that has seen enough (`| head`) goes away; what was to be done is done all the same.
  process.stdout.on('error', () => undefined);
  try {
    await work((text) => void process.stdout.write(lines(text)));
  } catch (error) {
    // What nobody has foreseen is a mistake here, and whoever looks for it needs to know where.
    const foreseen = error instanceof AuditError || error instanceof UsageError;
    process.stderr.write(
      lines(error instanceof Error ? (foreseen ? error.message : (error.stack ?? '')) : String(error)),
    );
    if (error instanceof UsageError) process.stderr.write(`\n${usage}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}
