import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Evidence, StepId } from '../../../workflows/steps.ts';
import { dynosHaveAged } from './circle.ts';
import { faultsByName } from './faults.ts';
import { expectSection, handlingOf, tableOf, withoutFailure, type Observed } from './page.ts';
import { performThrough, type Fared } from './performing.ts';
import type { Asked, Fault } from './proxy.ts';
import { approvedRotation, rotated, serves, startRotatedApp, urlOf, type RotatedApp } from './rotated-app.ts';
import { opens } from '../world.ts';

// A rotation that was asked for and not heard of must not be asked for again: the second one would take away what the first
// has just given out. Each write of a rotation, and each fault at it; a row of the tables is a platform of its own.

const isRotation = ({ method, path }: Asked): boolean => method === 'POST' && path.endsWith('/credentials_rotation');
const isConfig = ({ method, path }: Asked): boolean => method === 'PATCH' && path.endsWith('/config-vars');

/** Milliseconds for which the platform does not show that it was asked to rotate. */
const hiddenMs = 4_000;
const shownLate = 'has its connection reset, was taken, and shows nothing of it for seconds';
const reset: Fault = { taken: true, answer: (response) => void response.socket?.resetAndDestroy() };
const all: [string, Fault, number][] = [
  ...faultsByName.map(([name, fault]): [string, Fault, number] => [name, fault, 0]),
  [shownLate, reset, hiddenMs],
];

/** How the rotation of a credential fared whose write has met a fault. */
interface Rotation extends Fared {
  readonly fault: Fault;
  /** Whether the write that was to go wrong has come. */
  readonly met: boolean;
  /** How often the platform has taken a request to rotate it. */
  readonly rotations: number;
  /** How often it has taken other values of the copy, and how many other values there were. */
  readonly written: number;
  readonly values: number;
  /** Whether the password from before, and the one that the app has now, open a session. */
  readonly opens: readonly [before: boolean, now: boolean];
}

const times = (taken: readonly string[], end: RegExp): number => taken.filter((write) => end.test(write)).length;

async function rotate(one: RotatedApp, fault: Fault, wanted: (asked: Asked) => boolean, hidden: number) {
  const { rig, app, proxy, steps } = one;
  rig.platform.heroku.settings.rotationHiddenMs = hidden;
  const before = await urlOf(one);
  const call = await approvedRotation(one);
  const values = new Set<string>();
  proxy.arm(fault, (asked) => {
    if (isConfig(asked)) values.add(asked.body.toString());
    return wanted(asked);
  });
  let met = false;
  const fared = await performThrough({ rig, steps }, app, 'rotate-credential', call, () => {
    met = proxy.met() !== undefined;
  });
  const [old, now] = [await opens(before), await opens(await urlOf(one))];
  await serves(one);
  return {
    ...fared,
    fault,
    met,
    rotations: times(fared.taken, /credentials_rotation$/),
    written: times(fared.taken, /^PATCH .*config-vars$/),
    values: values.size,
    opens: [old, now] as const,
  };
}

const rows = {
  'the owner': { what: rotated.owner, wanted: isRotation },
  'the role, by attachment': { what: rotated.role, wanted: isRotation },
  'the role, by config var': { what: rotated.copy, wanted: isRotation },
  'the copy of the role': { what: rotated.copy, wanted: isConfig },
} as const;
type Row = keyof typeof rows;
/** What is hidden is that it was asked to rotate. */
const faultsOf = (row: Row) => all.filter(([, , hidden]) => hidden === 0 || rows[row].wanted === isRotation);
const names = Object.keys(rows) as Row[];

const rotations = new Map<string, Rotation>();
const restarts = new Map<string, Fared & { fault: Fault }>();
const apps: RotatedApp[] = [];
const observed: Observed[] = [];

async function startOne(what: (typeof rows)[Row]['what']): Promise<RotatedApp> {
  const one = await startRotatedApp(what);
  apps.push(one);
  return one;
}

async function rotateThroughAll(row: Row): Promise<void> {
  const { what, wanted } = rows[row];
  const one = await startOne(what);
  for (const [name, fault, hidden] of faultsOf(row))
    rotations.set(`${row}: ${name}`, await rotate(one, fault, wanted, hidden));
}

async function restartThroughAll(): Promise<void> {
  const one = await startOne(rotated.owner);
  const { rig, app, steps, proxy } = one;
  for (const [name, fault] of faultsByName) {
    await dynosHaveAged(rig, app);
    proxy.arm(fault);
    const fared = await performThrough({ rig, steps }, app, 'restart-rotated', { freshDynos: true });
    await serves(one);
    restarts.set(name, { ...fared, fault });
  }
}

// Most of it is waited for, so the rows go side by side.
beforeAll(async () => {
  await Promise.all([...names.map(rotateThroughAll), restartThroughAll()]);
}, 600_000);
afterAll(async () => {
  for (const one of apps) await one.stop();
});

function note(name: string, step: StepId, { failure, fault }: Fared & { fault: Fault }, next: string): void {
  const does =
    failure === null ? withoutFailure(fault) : `the attempt ends, ${handlingOf(failure)}; the next one ${next}`;
  observed.push({ fault: name, step, failure, does });
}

describe.each(names)('%s: a write that', (row) => {
  test.each(faultsOf(row))('%s', (name, fault) => {
    const seen = rotations.get(`${row}: ${name}`) as Rotation;
    expect({ met: seen.met, rotations: seen.rotations, opens: seen.opens }).toEqual({
      met: true,
      rotations: 1,
      opens: [false, true],
    });
    // The copy has each URL that the platform gives out on the way, once.
    expect(seen.written > 0).toBe(rows[row].what.bindBy === 'config-var');
    expect(seen.written).toBeLessThanOrEqual(seen.values);
    if (seen.failure !== null) expect(seen.failure.type).toBe('PlatformUnavailable');
    const { oldPassword } = seen.evidence as Evidence<'rotate-credential'>;
    // Whoever learns only in the next attempt that it was rotated has the old password no more, unless a copy holds it.
    const isLost = seen.failure !== null && fault.taken && row !== 'the role, by config var';
    if (!isLost) expect(oldPassword).toBe('refused');
    expect(['refused', 'replaced']).toContain(oldPassword);
    note(name, 'rotate-credential', seen, nextOf(seen, fault, rows[row].wanted === isRotation));
  });
});

function nextOf({ did }: Fared, { taken }: Fault, asksToRotate: boolean): string {
  if (!asksToRotate) return taken ? 'looks, and leaves what was taken as it is' : 'looks, and writes what is stale';
  return taken && did === 'settled'
    ? 'looks, finds it rotated or under way, and asks for nothing'
    : taken
      ? 'looks, finds it rotated or under way, asks for nothing, and writes the copy'
      : 'looks for ten seconds, finds nothing and asks once';
}

describe('restart-rotated: a write that', () => {
  test.each(faultsByName)('%s', (name, fault) => {
    const seen = restarts.get(name) as Fared & { fault: Fault };
    expect(seen.taken).toHaveLength(1);
    if (seen.failure !== null) expect(seen.failure.type).toBe('PlatformUnavailable');
    const next = fault.taken ? 'looks, finds it done and writes nothing' : 'looks, finds nothing and writes it once';
    note(name, 'restart-rotated', seen, next);
  });
});

const text = `Each write of a rotation meets each fault: the request to rotate, of the owner, of the role that is attached and of one
whose URL is a copy; the copy itself; and the restart. The platform rotates once in the end, the copy never gets one
value twice, the old password is refused and the app serves.`;

test('the page says what was seen', () =>
  expectSection('A write of a rotation', `${text}\n\n${tableOf('the write', observed)}`));
