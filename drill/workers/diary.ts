import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** What a worker has written down of itself: what a dying process sends may not arrive, what it has written stays. */
export interface DiaryLine {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly pid: number;
  readonly step: string;
  /** How far the step had come; `parked` where a worker was killed while its run waited for a decision. */
  readonly progress: string;
  /** The signal by which the worker ended or stood still here, where it did. */
  readonly dies?: 'SIGKILL' | 'SIGSTOP';
}

/** Adds a line, and returns when it is written. */
export function writeLine(file: string, line: DiaryLine): void {
  appendFileSync(file, `${JSON.stringify(line)}\n`);
}

/** Every line so far; of one that is just being written nothing. */
export function readDiary(file: string): DiaryLine[] {
  if (!existsSync(file)) return [];
  const whole = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return whole.map((line) => JSON.parse(line) as DiaryLine);
}

/** The step that was under way at a moment, in milliseconds since 1970; undefined before any. */
export function stepAt(diary: readonly DiaryLine[], at: number): string | undefined {
  return diary.findLast((line) => line.at <= at)?.step;
}

/** Whether a line stands for this death. */
export function isDeathAt(line: DiaryLine, point: { readonly step: string; readonly progress: string }): boolean {
  return line.dies !== undefined && line.step === point.step && line.progress === point.progress;
}
