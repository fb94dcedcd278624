import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import proto from '@temporalio/proto';
import packageJson from '../../package.json' with { type: 'json' };

/** What a path costs in the server's store. */
export interface Cost {
  readonly events: number;
  /** As the protocol encodes it. */
  readonly bytes: number;
}

const folder = fileURLToPath(new URL(`../../test/histories/${packageJson.version}`, import.meta.url));

/** The cost of each path whose history `npm test` replays; of all runs of its chain together where it continued as new. */
export async function recordedCosts(): Promise<Map<string, Cost>> {
  const costs = new Map<string, Cost>();
  for (const file of (await readdir(folder)).sort()) {
    const name = file.replace(/\.\d+\.json$/, '');
    const { events, bytes } = costOf(historyFromJSON(JSON.parse(await readFile(path.join(folder, file), 'utf8'))));
    const before = costs.get(name) ?? { events: 0, bytes: 0 };
    costs.set(name, { events: before.events + events, bytes: before.bytes + bytes });
  }
  return costs;
}

/** The cost of a history. */
export function costOf(history: proto.temporal.api.history.v1.IHistory): Cost {
  return {
    events: history.events?.length ?? 0,
    bytes: proto.temporal.api.history.v1.History.encode(history).finish().length,
  };
}
