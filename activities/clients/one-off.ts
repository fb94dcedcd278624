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
  /** Undefined when the stream ended without a status: the dyno was killed or the stream dropped. Then it is unknown. */
  readonly exitStatus: number | undefined;
  readonly output: string;
}

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
  const { name, attachUrl } = await heroku.runAttached(app, marked, env);
  const { report, secrets } = currentScope();
  const raw = await heroku.takeOutput(attachUrl, () => report('underway'));
  const status = statusLine.exec(raw);
  return {
    dyno: name,
    exitStatus: status?.[1] === undefined ? undefined : Number(status[1]),
    output: secrets.redact(raw.replace(statusLine, '')).replace(/\r\n/g, '\n').trimEnd(),
  };
}
