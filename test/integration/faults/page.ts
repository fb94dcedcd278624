import { failures, isFailureType } from '../../../workflows/failures.ts';

/** What was seen of one step that met one fault. */
export interface Observed {
  readonly fault: string;
  readonly step: string;
  /** The failure of the attempt that met it; null where that attempt came to its end. */
  readonly failure: { readonly type: string; readonly message: string } | null;
  /** Whether the service had taken the write. */
  readonly taken: boolean;
  /** Whether the next attempt had to write again. */
  readonly wroteAgain: boolean;
  /** Whether the same attempt sent it again. */
  readonly sentAgain: boolean;
}

const head = `# Faults

What the runbook does when a write to the platform goes wrong. The tests write this page from what they have seen on real
parts: each step that writes to the platform, but for the restarts, meets each fault at its first write, and the effect is there once in the end
(\`test/integration/faults/\`; \`CUTOVER_WRITE_FAULTS=1 npm test -- test/integration/faults\` writes it anew).

A failure that is _retried_ is tried again by the server, with longer and longer pauses, and parks the step when it stays: then
a person decides, as [on-call.md](on-call.md) says. Nothing is ever sent again because an answer was lost: the next attempt looks
first. Where \`upgrade\` was taken and not heard of, nobody has attached to its dyno, which so runs nothing: it is waited for until the
platform takes it away, and another one is started.

| the write | in these steps | what the runbook does | what the operator sees |
| --- | --- | --- | --- |
`;

/** The page, from everything that was observed. */
export function faultsPage(observed: readonly Observed[]): string {
  const rows = new Map<string, string[]>();
  for (const one of observed) {
    const row = [one.fault, doneAbout(one), shown(one)].join('|');
    rows.set(row, [...(rows.get(row) ?? []), `\`${one.step}\``]);
  }
  const lines = [...rows].map(([row, steps]) => {
    const [fault, does, sees] = row.split('|');
    return `| ${fault} | ${steps.join(', ')} | ${does} | ${sees} |`;
  });
  return `${head}${lines.join('\n')}\n`;
}

function doneAbout({ failure, taken, wroteAgain, sentAgain }: Observed): string {
  if (failure === null) {
    return sentAgain
      ? 'waits, all runs of the worker with it, and sends it again in the same attempt'
      : 'waits for the answer';
  }
  const handling = isFailureType(failure.type) ? failures[failure.type].handling : 'retried';
  const again = taken
    ? 'looks, leaves what was taken as it is, and makes the writes that are left'
    : 'looks, finds nothing and writes it once';
  const next = wroteAgain ? again : 'looks, finds it done and writes nothing';
  return `the attempt ends, ${handling}; the next one ${next}`;
}

function shown({ failure }: Observed): string {
  return failure === null ? 'nothing but the time that it takes' : `\`${failure.type}\``;
}
