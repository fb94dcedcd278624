import { evidenceText } from './evidence-text.ts';
import { textsToShow } from './plan-text.ts';
import { soakText } from './soak-clock.ts';
import type { Phase } from './sop.ts';
import type { ItemStatus, Status, WaitingFor } from './view.ts';

const marks: Record<ItemStatus['state'], string> = { ahead: '☐', running: '▶', waiting: '✋', parked: '⏸', done: '☑' };

const phaseNames: Record<Phase, string> = {
  preflight: 'preflight',
  'rm-10': 'RM-10',
  'rm-11': 'RM-11',
  watch: 'the watch',
  seal: 'the launch',
  'way-back': 'the way back',
  rehearsal: 'the rehearsal of the way back',
  soak: 'the soak',
  rotation: 'the rotation',
};

/**
 * What the Web UI shows under *User Metadata*: where the run is, the exact message that would move it, the checklist with
 * times and evidence, and where the kill switch is. Times are in UTC.
 */
export function renderDetails(status: Status): string {
  const { app, requestedBy, stage, phase, startedAt, waitingFor, items, outcome } = status;
  const where = stage === 'ended' || phase === null ? stage : `${stage}, in ${phaseNames[phase]}`;
  return [
    `**Cutover of ${code(app)}**, asked for by ${escapeMarkdown(requestedBy)} at ${utc(startedAt)} UTC: ${where}`,
    '',
    // Above the checklist, which is longer than a screen.
    ...(outcome ? [`**${outcome.result}**: ${escapeMarkdown(outcome.reason)}`, ''] : []),
    ...status.refusedMessages.slice(-1).flatMap(renderRefused),
    ...(waitingFor ? renderQuestion(waitingFor) : []),
    ...renderPlan(status),
    ...items.map(renderProgress),
    ...renderWatch(status),
    ...renderSoak(status),
    ...renderKillSwitch(status),
  ].join('\n');
}

/** The sender of a signal hears nothing else of why it did not count. */
function renderRefused({ at, message, by, why }: Status['refusedMessages'][number]): string[] {
  const whose = `${code(message)} from ${escapeMarkdown(by ?? 'nobody')}`;
  return [`Last refused, at ${utc(at)} UTC: ${whose}, because ${escapeMarkdown(why)}`, ''];
}

/** Always in the same place and in the same words, for whoever looks for it in a hurry. */
function renderKillSwitch({ killSwitch, mayRollBack }: Status): string[] {
  if (killSwitch === null) return [];
  const { signal, message } = killSwitch;
  return [
    '',
    `**Kill switch**, until the launch: the signal or update ${code(signal)} with ${code(JSON.stringify(message))}, ` +
      `from ${mayRollBack.map(escapeMarkdown).join(', ')}.`,
  ];
}

function renderWatch({ watch }: Status): string[] {
  if (watch === null) return [];
  const { samples, red, since, lastAt, healthy, problems } = watch;
  const now = healthy ? 'healthy' : problems.map(escapeMarkdown).join('; ');
  return ['', `**Watch** since ${utc(since)} UTC: ${samples} samples, ${red} of them red; at ${utc(lastAt)} ${now}`];
}

function renderSoak({ soak }: Status): string[] {
  if (soak === null) return [];
  const now = soak.problems.length === 0 ? 'healthy' : soak.problems.map(escapeMarkdown).join('; ');
  return ['', `**Soak** since ${utc(soak.since)} UTC: ${soakText(soak)}; at ${utc(soak.lastAt)} ${now}`];
}

/** What is asked, of whom, and what to paste. Only what the run itself wrote stands in the block. */
function renderQuestion({ what, signal, message, choices, from, needed, changes, until }: WaitingFor): string[] {
  const count = needed > 1 ? `${needed} of ` : '';
  return [
    `**Waiting for ${escapeMarkdown(what)}.** Send the signal or update ${code(signal)} with:`,
    '',
    '```json',
    inLines(message),
    '```',
    '',
    `From ${count}${from.map(escapeMarkdown).join(', ')}.` +
      (choices.length > 0 ? ` The action may be ${choices.map(code).join(', ')}.` : '') +
      (until === null ? '' : ` Until ${new Date(until).toISOString()}.`),
    '',
    ...(changes.length > 0
      ? [
          'What differs from the plan that was asked about before:',
          ...changes.map((line) => `- ${escapeMarkdown(line)}`),
          '',
        ]
      : []),
  ];
}

/** The plan that the open gate asks about, or that was asked for. */
function renderPlan(status: Status): string[] {
  const texts = textsToShow(status);
  if (texts.length === 0) return [];
  return [...texts.map(([topic, text]) => `- **${topic}** ${escapeMarkdown(text)}`), ''];
}

/** The run as a comment on an issue: what was done, and who approved it. */
export function renderReport(status: Status): string {
  return [
    `Cutover of ${code(status.app)}, asked for by ${escapeMarkdown(status.requestedBy)}`,
    '',
    ...status.items.filter((item) => item.state === 'done').map((item) => renderItem(item)),
  ].join('\n');
}

function renderItem(item: ItemStatus, evidence: string | null = null): string {
  const note = item.failure
    ? `${item.failure.type}: ${item.failure.message}`
    : item.approvedBy
      ? `approved by ${item.approvedBy}`
      : [item.did, evidence].filter(Boolean).join(', ');
  return `- ${marks[item.state]} ${code(item.id)} ${escapeMarkdown(item.title)}${note ? `: ${escapeMarkdown(note)}` : ''}`;
}

function renderProgress(item: ItemStatus): string {
  const evidence = item.did == null ? null : evidenceText(item.id, item.evidence);
  return `${renderItem(item, evidence)}${attempts(item)}${times(item)}`;
}

function attempts({ attempt = 1 }: ItemStatus): string {
  return attempt > 1 ? `, attempt ${attempt}` : '';
}

/** When an item began, and ended: the day once, where it is the same. */
function times({ startedAt, finishedAt, state }: ItemStatus): string {
  if (startedAt === undefined || state === 'ahead') return '';
  if (finishedAt == null) return ` (since ${utc(startedAt)} UTC)`;
  const [began, ended] = [utc(startedAt), utc(finishedAt)];
  const [day = ''] = began.split(' ');
  return ` (${began} to ${ended.startsWith(day) ? ended.slice(day.length + 1) : ended} UTC)`;
}

/** To the second: `2026-12-01 20:15:07`. */
function utc(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace('T', ' ');
}

/**
 * A message as the Web UI's dialogue itself lays it out when its box is left. Pasted otherwise, the dialogue grows under
 * the pointer: the press on *Submit* is lost, or closes the dialogue [seen: Web UI 2.42.1].
 */
function inLines(message: WaitingFor['message']): string {
  return JSON.stringify(message, null, 2);
}

function code(text: string): string {
  return `\`${text.replace(/[`\n\r]/g, ' ')}\``;
}

/** People's text must not become markup: a forged link or code block could tell an approver what to paste. */
export function escapeMarkdown(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu, ' ')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/[\\`*_{}[\]()#+!|~-]/g, (character) => `\\${character}`);
}
