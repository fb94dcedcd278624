import { expect, test } from '@jest/globals';
import { orAborted } from '../../rehearsal/start/abort.ts';
import { createTeardown } from '../../rehearsal/start/teardown.ts';

const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('what was started last is stopped first, and one layer at once', async () => {
  const stopped: string[] = [];
  const teardown = createTeardown();
  const stop = (what: string) => async (): Promise<void> => {
    stopped.push(`${what}…`);
    await later();
    stopped.push(what);
  };
  const below = teardown.layer();
  const above = teardown.layer();
  below.add('folder', stop('folder'));
  above.add('server', stop('server'));
  above.add('database', stop('database'));
  expect(await teardown.run()).toEqual([]);
  expect(stopped).toEqual(['server…', 'database…', 'server', 'database', 'folder…', 'folder']);
});

test('what does not stop is named, and the guard below it is left to end it by force', async () => {
  let guardClosed = false;
  const teardown = createTeardown(50);
  teardown.layer().add('the guard', () => Promise.resolve((guardClosed = true)));
  const layer = teardown.layer();
  layer.add('a server', () => new Promise(() => undefined));
  layer.add('a database', () => Promise.reject(new Error('no answer')));
  expect(await teardown.run()).toEqual(['a server did not stop in time', 'a database could not be stopped: no answer']);
  expect(guardClosed).toBe(false);
});

test('waiting ends when it is called off, whatever becomes of what was waited for', async () => {
  const stop = new AbortController();
  const waiting = orAborted(stop.signal, new Promise(() => undefined));
  stop.abort(new Error('called off'));
  await expect(waiting).rejects.toThrow('called off');
  // Called off before, and failing afterwards: nobody is left to catch that.
  await expect(
    orAborted(
      stop.signal,
      later().then(() => Promise.reject(new Error('late'))),
    ),
  ).rejects.toThrow('called off');
  await later();
  expect(await orAborted(new AbortController().signal, Promise.resolve('done'))).toBe('done');
});
