import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { loadText, startLoad, unexplained, type LostRequest } from '../../rehearsal/load.ts';

const lostAt = (...times: number[]): LostRequest[] => times.map((at) => ({ at, what: 'GET /ready: 503' }));

test('a restart explains what each of the two clients had under way, and no more', () => {
  expect(unexplained(lostAt(10_000, 10_100), [10_000], 5_000)).toEqual([]);
  expect(unexplained(lostAt(10_000, 10_100, 10_200), [10_000], 5_000)).toEqual(lostAt(10_200));
  expect(unexplained(lostAt(10_000, 10_100, 10_200, 10_300), [10_000, 10_050], 5_000)).toEqual([]);
});

test('what is lost long before or behind a restart is not explained by it', () => {
  expect(unexplained(lostAt(8_499), [10_000], 5_000)).toHaveLength(1);
  expect(unexplained(lostAt(15_001), [10_000], 5_000)).toHaveLength(1);
  expect(unexplained(lostAt(10_000), [], 5_000)).toHaveLength(1);
});

test('every request that is not answered well is counted, and none is sent again', async () => {
  let asked = 0;
  const server = createServer((_, response) => {
    asked += 1;
    response.writeHead(asked % 3 === 0 ? 503 : 200).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const load = startLoad(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  while (asked < 12) await new Promise((resolve) => setTimeout(resolve, 10));
  const counts = await load.stop();
  await new Promise((resolve) => server.close(resolve));
  expect(counts.reads + counts.writes).toBe(asked);
  expect(counts.lost).toHaveLength(Math.floor(asked / 3));
  expect(loadText(counts)).toContain(`${counts.lost.length} of them lost, between `);
});
