import { expect, test } from '@jest/globals';
import { createTerminal } from '../../rehearsal/start/terminal.ts';

/** A terminal that keeps what was written to it. */
function fakeStream(isTTY: boolean, columns: number) {
  const written: string[] = [];
  const stream = { isTTY, columns, write: (text: string) => written.push(text) > 0 } as unknown as NodeJS.WriteStream;
  return { stream, text: () => written.join('') };
}

test('where nobody looks there are lines and nothing else', () => {
  const { stream, text } = fakeStream(false, 0);
  const terminal = createTerminal(stream, {});
  terminal.busy('working');
  terminal.line(terminal.colors.red('one'));
  terminal.line();
  terminal.busy('');
  terminal.close();
  expect(text()).toBe('one\n\n');
});

test('on a terminal a line takes the place of the spinner, which goes on below it', () => {
  const { stream, text } = fakeStream(true, 40);
  const terminal = createTerminal(stream, { TERM: 'xterm' });
  terminal.busy('working');
  terminal.line('one');
  terminal.close();
  expect(text()).toMatch(/^.*working\r\x1b\[2Kone\n.*working\r\x1b\[2K$/s);
});

test.each([
  [20, 20],
  [0, 80],
])('a spinner on %i columns never wraps', (columns, atMost) => {
  const { stream, text } = fakeStream(true, columns);
  const terminal = createTerminal(stream, { NO_COLOR: '1' });
  terminal.busy('x'.repeat(300));
  expect(text().length).toBeLessThan(atMost);
  expect(text().endsWith('…')).toBe(true);
  terminal.close();
});

test('a terminal that cannot move its cursor gets lines, and is still one at which somebody sits', () => {
  const { stream, text } = fakeStream(true, 80);
  const terminal = createTerminal(stream, { TERM: 'dumb' });
  terminal.busy('working');
  terminal.line(terminal.colors.bold('one'));
  terminal.close();
  expect(text()).toBe('one\n');
  expect(terminal.interactive).toBe(true);
});
