import { currentScope } from '../scope.ts';
import type { HerokuClient } from './heroku.ts';

export interface OneOff {
  readonly app: string;
  readonly command: string;
  /** Reaches this dyno only. */
  readonly env?: Record<string, string>;
  /** A comment in the command: the list of dynos shows it, so that a retry recognises what the run itself started. */
  readonly mark: string;
}

export interface OneOffOutcome {
  readonly dyno: string;
  /** Undefined when the dyno or its command was killed, or the stream dropped: what it did is unknown then. */
  readonly exitStatus: number | undefined;
  /** How it ended, for a message: `with status 1`. */
  readonly ending: string;
  readonly output: string;
}

/** A shell tells a command that a signal ended by 128 and the signal's number: 137 where memory ran out. */
const killedAbove = 128;

const statusLine = /\uFFFF heroku-command-exit-status: (\d+)\s*$/;

/**
 * Runs a command in a one-off dyno and tells its exit status. The protocol has none, so the shell is asked to print it
 * behind the command's own output, in the form that the official CLI uses [seen: official CLI 11.10.0, --exit-code].
 */
export async function runOneOff(
  heroku: HerokuClient,
  { app, command, env = {}, mark }: OneOff,
): Promise<OneOffOutcome> {
  const marked = `: ${mark}; ( ${command} ); echo "\uFFFF heroku-command-exit-status: $?"`;
  // A dyno has the app's whole environment, and what it prints may hold any of it: what is not known cannot be found.
  await heroku.getConfigVars(app);
  const { name, attachUrl } = await heroku.runAttached(app, marked, env);
  const { report, secrets } = currentScope();
  const raw = await heroku.takeOutput(attachUrl, () => report('underway'));
  const told = statusLine.exec(raw)?.[1];
  const status = told === undefined ? undefined : Number(told);
  return {
    dyno: name,
    exitStatus: status !== undefined && status > killedAbove ? undefined : status,
    ending: status === undefined ? 'without a status' : `with status ${status}`,
    output: secrets.redact(raw.replace(statusLine, '')).replace(/\r\n/g, '\n').trimEnd(),
  };
}
