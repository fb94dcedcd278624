import pc from 'picocolors';
import type { OutsideView } from './outside.ts';
import { evidenceLine } from './story.ts';
import { duration, plain } from './terminal.ts';
import type { Status } from '../workflows/view.ts';

/** The end of a rehearsal: steps with evidence, approvals, durations, and what an outsider sees. */
export function summaryLines(status: Status, outside: OutsideView, historyEvents: number): string[] {
  const steps = status.items.filter((item) => item.kind === 'step');
  const gates = status.items.filter((item) => item.kind === 'gate' && item.approvedBy);
  const last = status.journal.at(-1)?.at ?? status.startedAt;
  const result = status.outcome?.result ?? status.stage;
  return [
    '',
    pc.bold(`Summary: ${result === 'completed' ? pc.green(result) : pc.red(result)}`),
    ...(status.outcome ? [`  ${plain(status.outcome.reason)}`] : []),
    ...steps.map((item) => {
      const time = item.finishedAt && item.startedAt ? duration(item.finishedAt - item.startedAt) : '';
      return `  ${item.id.padEnd(22)} ${(item.did ?? item.state).padEnd(9)} ${time.padStart(8)}${evidenceLine(item)}`;
    }),
    ...gates.map((item) => `  gate ${item.id.padEnd(17)} approved by ${plain(item.approvedBy ?? '')}`),
    `  ${duration(last - status.startedAt)} in all, ${historyEvents} history events, continued as new ${status.continued} times`,
    `  from outside: ${plain(outside.text)} ${outside.ok ? pc.green('✔') : pc.red('✘')}`,
  ];
}
