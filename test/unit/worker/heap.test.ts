import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { typescriptFlags } from '../../../scripts/run-node.mjs';

// A thread that keeps the last of many things, as a worker keeps the last of many runs: how far its heap gets.
const thread = `
  const kept = new Map();
  let peak = 0;
  for (let turn = 0; turn < 12_000; turn += 1) {
    kept.set(turn % 300, Array.from({ length: 1_000 }, (_, index) => ({ turn, index })));
    if (turn % 100 === 0) peak = Math.max(peak, process.memoryUsage().heapUsed);
  }
  require('node:worker_threads').parentPort.postMessage(peak);
`;
const program = `
  import { Worker } from 'node:worker_threads';
  import { keepHeapsSmall } from './worker/heap.ts';
  if (process.argv[1] === 'small') keepHeapsSmall();
  new Worker(${JSON.stringify(thread)}, { eval: true, execArgv: [] }).on('message', (peak) => console.log(peak));
`;

async function peakOf(heaps: 'small' | 'as they are'): Promise<number> {
  const args = [...typescriptFlags(), '--input-type=module', '--eval', program, heaps];
  return Number((await promisify(execFile)(process.execPath, args)).stdout);
}

test('the heap of a thread grows less before it is collected', async () => {
  const [small, asTheyAre] = [await peakOf('small'), await peakOf('as they are')];
  expect(small / asTheyAre).toBeLessThan(0.8);
  expect(small).toBeGreaterThan(1_000_000);
}, 60_000);
