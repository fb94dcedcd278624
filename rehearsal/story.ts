import pc from 'picocolors';
import type { Plan } from '../workflows/facts.ts';
import type { ItemStatus, Status } from '../workflows/view.ts';
import { duration, plain, type Terminal } from './terminal.ts';

/** How a step came to be in place, for people. */
const didText: Record<NonNullable<ItemStatus['did']>, string> = {
  acted: 'done',
  already: 'already in place, nothing done',
  settled: 'found in place after an interruption',
  observed: 'checked',
};

/** Tells a run line by line: each item once, when it is over or asks for something. */
export function createStory(terminal: Terminal): { tell(status: Status): void } {
  const told = new Set<string>();
  let phase: ItemStatus['phase'] | undefined;

  const once = (item: ItemStatus, key: string, text: (item: ItemStatus) => string): void => {
    if (told.has(`${item.id} ${key}`)) return;
    told.add(`${item.id} ${key}`);
    if (item.phase !== phase) terminal.line(`\n${pc.bold(phaseTitle[item.phase])}`);
    phase = item.phase;
    terminal.line(text(item));
  };

  return {
    tell(status) {
      for (const item of status.items) {
        if (item.state === 'done') once(item, 'done', doneLine);
        if (item.state === 'parked') once(item, `parked ${item.attempt}`, parkedLine);
        if (item.state === 'waiting') once(item, 'waiting', waitingLine);
      }
      const running = status.items.find((item) => item.state === 'running');
      terminal.busy(running ? `${running.id}: ${running.title}` : (status.waitingFor?.what ?? ''));
    },
  };
}

const phaseTitle = { preflight: 'Preflight', 'rm-10': 'RM-10', 'rm-11': 'RM-11' } as const;

function doneLine(item: ItemStatus): string {
  const time = item.finishedAt && item.startedAt ? duration(item.finishedAt - item.startedAt) : '';
  const head = `  ${pc.green('✔')} ${item.id.padEnd(22)} ${time.padStart(8)}`;
  if (item.kind === 'gate') return `${head}  approved by ${plain(item.approvedBy ?? '')}`;
  return `${head}  ${item.did ? didText[item.did] : ''}${pc.dim(evidenceLine(item))}`;
}

function waitingLine(item: ItemStatus): string {
  return `  ${pc.yellow('✋')} ${item.id.padEnd(22)} waits for approval`;
}

function parkedLine(item: ItemStatus): string {
  return [
    `  ${pc.red('⏸')} ${item.id.padEnd(22)} parked on ${item.failure?.type ?? 'a failure'} (attempt ${item.attempt})`,
    `      ${plain(item.failure?.message ?? '')}`,
  ].join('\n');
}

/** The evidence of a step in one line. A plan is shown at its gate instead. */
export function evidenceLine(item: ItemStatus): string {
  if (item.evidence === null || item.evidence === undefined || item.id.startsWith('survey')) return '';
  return `  ${plain(flatten(item.evidence)).slice(0, 160)}`;
}

function flatten(value: unknown): string {
  if (Array.isArray(value)) return value.length > 3 ? `${value.length} items` : value.map(flatten).join(', ');
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .map(([key, inner]) => `${key} ${flatten(inner)}`)
      .join(', ');
  }
  const text = String(value);
  return /^[0-9a-f]{40,64}$/.test(text) ? text.slice(0, 12) : text;
}

/** What a gate asks, for the person who answers it. */
export function planLines(plan: Plan, digest: string): string[] {
  const { facts, observations } = plan;
  const { database, release, migrations, role, pullRequest } = facts;
  const shared = database.sharedWith.length > 0 ? `, shared with ${database.sharedWith.join(', ')}` : '';
  return [
    `plan      ${digest.slice(0, 12)}`,
    `database  ${database.addon} (${database.plan}) as ${database.attachment}${shared}; ${observations.tables} tables, about ${observations.rows} rows`,
    `release   v${release.version}, commit ${release.commit?.slice(0, 12) ?? 'unknown'}${facts.releaseCommand ? `, release command: ${facts.releaseCommand}` : ''}`,
    `schema    at ${migrations.current ?? 'no revision'}; to run: ${migrations.pending.join(', ') || 'nothing'}`,
    `role      ${role.credential} is ${role.state}, ${role.bound ? 'bound' : 'not bound'}, flag ${role.flag ? 'set' : 'not set'}; matrix ${facts.matrixDigest.slice(0, 12)}`,
    ...(pullRequest ? [`PR        #${pullRequest.number} ${pullRequest.title}`] : []),
  ].map((line) => plain(line));
}
