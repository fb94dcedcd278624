import { hazards } from '../../workflows/hazards.ts';
import type { Plan } from '../../workflows/facts.ts';
import { planTexts } from '../../workflows/plan-text.ts';
import { sequence } from '../../workflows/sop.ts';
import { steps } from '../../workflows/steps.ts';
import type { Rehearsed } from '../durations.ts';
import type { Colors } from './terminal.ts';
import { duration, plain } from './text.ts';

export interface PlanToTell {
  readonly plan: Plan;
  /** Of the revisions; null where there is none. */
  readonly sql: string | null;
  /** File that has the SQL, so that it is not shown. */
  readonly sqlFile?: string;
  /** Null where no rehearsal has left any. */
  readonly rehearsed: Rehearsed | null;
  /** Whether issues are opened in the end. */
  readonly hasFollowUps: boolean;
}

/** Topics that get a section of their own below. */
const ownSection = ['plan', 'schema', 'SQL', 'privileges', 'variables', 'hazard'];

/** A plan for a terminal: the longest first, so that what decides stands at the end. */
export function planLines(told: PlanToTell, colors: Colors): string[] {
  const { plan, rehearsed } = told;
  const { preview, facts } = plan;
  if (preview === undefined) return [];
  const section = (title: string, lines: readonly string[], none: string): string[] => [
    '',
    colors.bold(title),
    ...(lines.length === 0 ? [none] : lines).map((line) => `  ${line}`.trimEnd()),
  ];
  const signed = (lines: readonly string[]): string[] => lines.map((line) => inColor(plain(line), colors));
  return [
    ...section('Target', texts(plan), ''),
    ...section(
      'Revisions to run',
      revisionLines(told, colors),
      `none: the database is at ${facts.migrations.current ?? 'no revision'}`,
    ),
    ...section('Privileges', [...signed(preview.privileges), ...preview.asTheyStand.map(asItStands)], 'none to change'),
    ...section('Config vars', signed(preview.vars), 'none to change'),
    ...section('Other apps with this database', facts.database.sharedWith.map(plain), 'none'),
    ...section(`Steps, ${whenRehearsed(rehearsed)}`, stepLines(told), ''),
    ...section(
      'Hazards',
      hazards(plan).map((text) => `${colors.yellow('!')} ${plain(text)}`),
      'none seen',
    ),
    '',
    `${colors.bold('Plan')} ${plan.digest}`,
    '  what approvers of the gate go will sign, as long as nothing that it rests on changes',
  ];
}

function texts(plan: Plan): string[] {
  return planTexts(plan)
    .filter(([topic]) => !ownSection.includes(topic))
    .map(([topic, text]) => `${topic.padEnd(10)}${plain(text)}`);
}

function revisionLines({ plan: { preview }, sql, sqlFile }: PlanToTell, colors: Colors): string[] {
  const { revisions = [], sql: printed = null, noSql = null } = preview ?? {};
  const files = revisions.map(
    ({ revision, sha256 }) =>
      `${revision.padEnd(24)} ${sha256 === null ? 'no file is named after it' : `SHA-256 ${sha256}`}`,
  );
  if (printed === null || sql === null) return [...files, ...(noSql === null ? [] : [`no SQL: ${noSql}`])].map(plain);
  const head = `SQL: ${printed.lines} lines, SHA-256 ${printed.sha256}`;
  if (sqlFile !== undefined) return [...files, `${head}, in ${sqlFile}`].map(plain);
  return [...[...files, head].map(plain), '', ...sqlLines(sql).map((line) => colors.dim(line))];
}

/** Migrations are people's text too, and are indented by tabs. */
function sqlLines(sql: string): string[] {
  return sql
    .replace(/\n{3,}/g, '\n\n')
    .trim()
    .split('\n')
    .map((line) => plain(line.replaceAll('\t', '    ').trimEnd()));
}

function inColor(line: string, colors: Colors): string {
  if (line.startsWith('+')) return colors.green(line);
  return line.startsWith('-') ? colors.red(line) : colors.yellow(line);
}

function asItStands(statement: string): string {
  return `? ${plain(statement)} (its effect is not told beforehand)`;
}

function whenRehearsed(rehearsed: Rehearsed | null): string {
  if (rehearsed === null) return 'not rehearsed on this machine';
  return `with what they took in the rehearsal of ${rehearsed.on.slice(0, 10)} on stand-ins (scenario ${plain(rehearsed.scenario)})`;
}

/** The whole cutover, as it unfolds from this plan. */
function stepLines({ plan: { facts }, rehearsed, hasFollowUps }: PlanToTell): string[] {
  const { pullRequest } = facts;
  const known = {
    hasFollowUps,
    hasPullRequest: pullRequest !== null,
    go: facts,
    ...(pullRequest ? { pullRequest } : {}),
  };
  return sequence(known).map((item) => {
    if (item.kind !== 'step') return `${item.id.padEnd(22)} ${'people'.padStart(14)}  ${item.title}`;
    const took = rehearsed?.steps[item.id];
    const time = took === undefined ? 'not rehearsed' : duration(took);
    return `${item.id.padEnd(22)} ${time.padStart(14)}  ${steps[item.id].title}`;
  });
}
