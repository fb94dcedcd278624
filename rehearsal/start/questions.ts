import { waitsForMerge } from '../people.ts';
import { textsToShow } from '../../workflows/plan-text.ts';
import type { Status } from '../../workflows/view.ts';
import type { ByHand } from './by-hand.ts';
import type { Terminal } from './terminal.ts';
import { plain } from './text.ts';

export interface Questions {
  /** Shows what a run asks of people, each question once. */
  show(status: Status): void;
}

/** @param hold whether a person is to answer everything; otherwise only what the rehearsal's people do not answer */
export function createQuestions(terminal: Terminal, byHand: ByHand, hold: boolean): Questions {
  const asked = new Set<string>();
  const dim = (text: string): string => terminal.colors.dim(text);
  return {
    show(status) {
      const { waitingFor } = status;
      const question = waitingFor ? JSON.stringify(waitingFor.message) : waitsForMerge(status) ? 'merge' : undefined;
      if (question === undefined || asked.has(question)) return;
      asked.add(question);

      for (const line of planLines(status)) terminal.line(`      ${dim(line)}`);
      if (!hold && waitingFor?.signal !== 'resolve') return;
      const lines = waitingFor ? byHand.answer(waitingFor) : byHand.merge();
      for (const line of ['', ...lines, '']) terminal.line(line === '' ? '' : `    ${plain(line)}`);
    },
  };
}

function planLines(status: Status): string[] {
  const texts = status.waitingFor === null ? [] : textsToShow(status);
  if (texts.length === 0) return [];
  const changes = (status.waitingFor?.changes ?? []).map((line) => ['changed', line] as const);
  return [...texts, ...changes].map(([topic, text]) => plain(`${topic.padEnd(10)}${text}`));
}
