import { isPlanGate } from '../../workflows/facts.ts';
import type { ItemStatus, Status } from '../../workflows/view.ts';
import type { Evidence } from '../../workflows/steps.ts';
import type { OutsideView } from '../outside.ts';
import { evidenceText, stepResult } from './evidence.ts';
import type { Colors } from './terminal.ts';
import { duration, plain, timeOfDay } from './text.ts';

export interface Ended {
  readonly status: Status;
  /** How Temporal says that the run ended, where the run itself could not say: `TERMINATED`, or `RUNNING` where it goes on. */
  readonly closedAs: string;
  /** Over all runs, where it continued as new. */
  readonly historyEvents: number;
  readonly outside: OutsideView;
}

/** The end of a rehearsal: steps with evidence, approvals, durations, and what an outsider sees. */
export function summaryLines({ status, closedAs, historyEvents, outside }: Ended, colors: Colors): string[] {
  const result = status.outcome?.result ?? closedAs.toLowerCase();
  const last = status.journal.at(-1)?.at ?? status.startedAt;
  const continued = status.continued > 0 ? `, continued as new ${status.continued} times` : '';
  return [
    '',
    colors.bold(`Summary: ${result === 'completed' ? colors.green(result) : colors.red(result)}`),
    ...(status.outcome ? [`  ${plain(status.outcome.reason)}`] : []),
    ...status.items.filter((item) => item.kind === 'step').flatMap((item) => stepLines(item, colors)),
    ...status.items.filter((item) => item.approvedBy).map((item) => approvalLine(item, status)),
    `  asked for by ${plain(status.requestedBy)}; ${duration(last - status.startedAt)} in all, ${historyEvents} history events${continued}`,
    ...killSwitchLine(status),
    `  from outside: ${plain(outside.text)} ${outside.ok ? colors.green('✔') : colors.red('✘')}`,
  ];
}

/** What the kill switch cost its users, as the target file takes it for the plans to come. */
function killSwitchLine({ items }: Status): string[] {
  const serving = items.find(({ id, did }) => id === 'verify-serving' && did)?.evidence;
  const { secondsSinceKilled: seconds, servingAt } = (serving ?? {}) as Partial<Evidence<'verify-serving'>>;
  if (seconds == null || servingAt === undefined) return [];
  const rehearsed = JSON.stringify({ seconds: Math.ceil(seconds), on: servingAt.slice(0, 10) });
  return [
    `  from the kill switch until the app served again: ${seconds} s; in the target file, "rollback.rehearsed": ${rehearsed}`,
  ];
}

function stepLines(item: ItemStatus, colors: Colors): string[] {
  const time = item.finishedAt && item.startedAt ? duration(item.finishedAt - item.startedAt) : '';
  const evidence = item.failure ? plain(`${item.failure.type}: ${item.failure.message}`) : evidenceText(item);
  return [
    `  ${item.id.padEnd(22)} ${time.padStart(10)}  ${stepResult(item)}`,
    ...(evidence === '' ? [] : [`      ${colors.dim(evidence)}`]),
  ];
}

function approvalLine({ id, approvedBy, startedAt = 0, finishedAt }: ItemStatus, { plans }: Status): string {
  const plan = isPlanGate(id) ? plans[id]?.digest.slice(0, 12) : undefined;
  const when = finishedAt ? ` at ${timeOfDay(finishedAt)}, after ${duration(finishedAt - startedAt)}` : '';
  return `  gate ${id.padEnd(17)} approved by ${plain(approvedBy ?? '')}${when}, on plan ${plan ?? 'none'}`;
}
