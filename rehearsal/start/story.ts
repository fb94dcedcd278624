import type { ItemStatus, Status } from '../../workflows/view.ts';
import { evidenceText, stepResult } from './evidence.ts';
import type { Colors, Terminal } from './terminal.ts';
import { duration, plain, shortened } from './text.ts';

const phaseTitle: Record<ItemStatus['phase'], string> = {
  preflight: 'Preflight',
  'rm-10': 'RM-10',
  'rm-11': 'RM-11',
  watch: 'Watch',
  seal: 'Launch',
  'way-back': 'The way back',
  rehearsal: 'The way back and forth, rehearsed',
  soak: 'Soak',
  rotation: 'The rotation',
};
/** Characters of a step's line; the summary has all of its evidence. */
const lineLength = 150;

export interface Story {
  /** Tells what is new since the last status. */
  tell(status: Status): void;
}

/** Tells a run line by line: each item when it is over, also where it is done anew, and each time that it asks for people. */
export function createStory(terminal: Terminal): Story {
  const told = new Set<string>();
  let phase: ItemStatus['phase'] | undefined;
  const isNew = (key: string): boolean => !told.has(key) && told.add(key).has(key);

  const tellItem = (item: ItemStatus): void => {
    const line = itemLine(item, terminal);
    if (line === undefined || !isNew(`${item.id} ${line.about}`)) return;
    if (item.phase !== phase) terminal.line(`\n${terminal.colors.bold(phaseTitle[item.phase])}`);
    phase = item.phase;
    line.texts.forEach((text) => terminal.line(text));
  };

  return {
    tell(status) {
      status.items.forEach(tellItem);
      for (const { at, message, by, why } of status.refusedMessages) {
        if (!isNew(`refused ${at} ${message} ${by} ${why}`)) continue;
        terminal.line(
          `  ${terminal.colors.red('✘')} ${plain(`${message} from ${by ?? 'nobody'} was refused: ${why}`)}`,
        );
      }
      terminal.busy(plain(whatIsGoingOn(status)));
    },
  };
}

interface Line {
  /** What is told of the item; told once. */
  readonly about: string;
  readonly texts: readonly string[];
}

function itemLine(item: ItemStatus, { colors, width }: Terminal): Line | undefined {
  switch (item.state) {
    case 'done':
      return { about: `done ${item.finishedAt}`, texts: [doneText(item, colors, Math.min(width, lineLength))] };
    case 'waiting':
      return {
        about: `waiting ${item.startedAt}`,
        texts: [`  ${colors.yellow('▸')} ${item.id.padEnd(22)} ${waits(item)}`],
      };
    case 'parked':
      return {
        about: `parked ${item.attempt}`,
        texts: [
          `  ${colors.red('✘')} ${item.id.padEnd(22)} parked in attempt ${item.attempt}: ${plain(item.failure?.type ?? '')}`,
          `      ${plain(item.failure?.message ?? '')}`,
        ],
      };
    case 'ahead':
    case 'running':
      return undefined;
  }
}

function doneText(item: ItemStatus, colors: Colors, width: number): string {
  const time = item.finishedAt && item.startedAt ? duration(item.finishedAt - item.startedAt) : '';
  const result = item.kind === 'step' ? stepResult(item) : gateResult(item);
  const head = `${item.id.padEnd(22)} ${time.padStart(10)}  ${result}`;
  const evidence = shortened(evidenceText(item), Math.max(0, width - head.length - 6));
  return `  ${colors.green('✔')} ${head}  ${colors.dim(evidence)}`.trimEnd();
}

/** A soak asks nobody, and passes by itself. */
const waits = ({ kind }: ItemStatus): string => (kind === 'soak' ? 'runs' : 'waits for approval');

function gateResult({ kind, approvedBy }: ItemStatus): string {
  return kind === 'soak' ? 'clean for long enough' : `approved by ${plain(approvedBy ?? '')}`;
}

function whatIsGoingOn({ items, waitingFor, stage }: Status): string {
  if (stage === 'ended') return '';
  const running = items.find((item) => item.state === 'running');
  if (running) return `${running.id}: ${running.title}`;
  return waitingFor === null ? 'between two steps' : `waiting for ${waitingFor.what}`;
}
