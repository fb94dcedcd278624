import { parseArgs } from 'node:util';

export interface Options {
  readonly help: boolean;
  /** Leave the gates, and the merging of the pull request, to the person at the terminal. */
  readonly hold: boolean;
  /** Bring everything up and start no run. */
  readonly idle: boolean;
}

export const usage = `Usage: npm start [-- OPTION…]

A dress rehearsal of the production cutover, on this machine: a real Temporal server, a real PostgreSQL, real Alembic,
and stand-ins that speak Heroku's and GitHub's protocols. Nothing outside this machine is touched.

  (no option)   perform the whole cutover; a rehearsal approver answers each gate after showing what is asked
  --hold        leave the gates to you: prints the exact Temporal CLI command, and the JSON for the Web UI
  --idle        bring everything up and start no run; prints the commands to do it by hand
  --help        this text

On a terminal everything stays up after the end until Ctrl-C, so that you can look around. Without a terminal it stops
what it started and exits: 0 if the cutover succeeded and was verified from outside, else 1.`;

/** A word on the command line that means nothing here. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @throws UsageError */
export function readOptions(args: readonly string[]): Options {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { help: { type: 'boolean', short: 'h' }, hold: { type: 'boolean' }, idle: { type: 'boolean' } },
      allowPositionals: false,
    });
    const { help = false, hold = false, idle = false } = values;
    if (hold && idle) throw new UsageError('--hold and --idle exclude each other: with --idle there is no run to hold.');
    return { help, hold, idle };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError((error as Error).message.split('. ')[0] ?? 'unknown option');
  }
}
