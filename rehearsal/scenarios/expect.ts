import type { Status } from '../../workflows/view.ts';

export function expectDid(status: Status, expected: Record<string, string>): string | null {
  for (const [id, did] of Object.entries(expected)) {
    const item = status.items.find((one) => one.id === id);
    if (item?.did !== did) return `${id} is ${item?.did ?? item?.state ?? 'not part of the run'}; expected ${did}`;
  }
  return null;
}

export function expectOrder(status: Status, expected: readonly string[]): string | null {
  const order = status.items.map((item) => item.id).filter((id) => expected.includes(id));
  return order.join() === expected.join() ? null : `the order was ${order.join(', ')}; expected ${expected.join(', ')}`;
}

/** The journal must have an entry of each of these events. */
export function expectEvents(status: Status, events: readonly string[]): string | null {
  const missing = events.filter((event) => !status.journal.some((entry) => entry.event === event));
  return missing.length === 0 ? null : `the journal has no entry of ${missing.join(', ')}`;
}

/** Not one of these steps may have begun. */
export function expectNotBegun(status: Status, steps: readonly string[]): string | null {
  const begun = status.items.filter((item) => steps.includes(item.id) && item.attempt !== undefined);
  return begun.length === 0 ? null : `${begun.map((item) => item.id).join(', ')} had begun`;
}

/** The gate at which the run waits, if it does. */
export function isAt(gate: string): (status: Status) => boolean {
  return ({ stage, items }) =>
    stage === 'waiting' && items.some((item) => item.id === gate && item.state === 'waiting');
}

export function isParked(id: string): (status: Status) => boolean {
  return ({ stage, items }) => stage === 'parked' && items.some((item) => item.id === id && item.state === 'parked');
}
