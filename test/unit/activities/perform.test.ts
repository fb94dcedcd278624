import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { observe, perform, type Performance, type Seen } from '../../../activities/perform.ts';
import { beginActivity, inActivity, quickly, useOwnTime, useQuickTime } from './in-activity.ts';

beforeEach(useQuickTime);
afterEach(useOwnTime);

/** A light that takes a while to go on, and counts how often it was switched. */
class Light {
  on = false;
  switched = 0;
  looks = 0;
  /** Milliseconds between the switch and the light. */
  delay = 0;
  #since = Infinity;

  turnOn(): void {
    this.switched += 1;
    this.#since = Date.now() + this.delay;
  }

  look(): Seen<string> {
    this.looks += 1;
    if (this.on || Date.now() >= this.#since) return { is: 'done', evidence: 'bright' };
    return this.switched > 0 ? { is: 'underway', what: 'it is warming up' } : { is: 'absent', what: 'it is dark' };
  }
}

function switchOn(light: Light, options: Partial<Performance<string>> = {}): Performance<string> {
  return {
    probe: () => Promise.resolve(light.look()),
    act: () => {
      light.turnOn();
      return Promise.resolve();
    },
    ...options,
  };
}

test('already in place: nothing is done', async () => {
  const light = new Light();
  light.on = true;
  expect(await inActivity(() => perform(switchOn(light)))).toEqual({ did: 'already', evidence: 'bright' });
  expect(light.switched).toBe(0);
});

test('absent: it acts once, and sees the effect before it says so', async () => {
  const light = new Light();
  light.delay = 5_000;
  expect(await inActivity(() => perform(switchOn(light)))).toEqual({ did: 'acted', evidence: 'bright' });
  expect(light.switched).toBe(1);
});

test('underway: it waits and does not act', async () => {
  const light = new Light();
  light.delay = 5_000;
  light.turnOn();
  expect(await inActivity(() => perform(switchOn(light)))).toEqual({ did: 'already', evidence: 'bright' });
  expect(light.switched).toBe(1);
});

test('underway and then come to nothing: it acts after all, once', async () => {
  const light = new Light();
  let looks = 0;
  const probe = (): Promise<Seen<string>> =>
    Promise.resolve((looks += 1) < 4 ? { is: 'underway', what: 'somebody else is at it' } : light.look());
  expect(await inActivity(() => perform(switchOn(light, { probe })))).toEqual({ did: 'acted', evidence: 'bright' });
  expect(light.switched).toBe(1);
});

describe('another attempt', () => {
  test('finds the effect of the one before in place: settled, without a second act', async () => {
    const light = new Light();
    light.turnOn();
    expect(await inActivity(() => perform(switchOn(light)), { attempt: 2 })).toEqual({
      did: 'settled',
      evidence: 'bright',
    });
    expect(light.switched).toBe(1);
  });

  test('waits for what the one before has begun', async () => {
    const light = new Light();
    light.delay = 5_000;
    light.turnOn();
    expect(await inActivity(() => perform(switchOn(light)), { attempt: 2 })).toEqual({
      did: 'settled',
      evidence: 'bright',
    });
    expect(light.switched).toBe(1);
  });

  test('acts where the one before did not', async () => {
    const light = new Light();
    expect(await inActivity(() => perform(switchOn(light)), { attempt: 2 })).toEqual({
      did: 'acted',
      evidence: 'bright',
    });
    expect(light.switched).toBe(1);
  });

  test('settles an act whose answer was lost', async () => {
    const light = new Light();
    const act = (): Promise<void> => {
      light.turnOn();
      return Promise.reject(new Error('the answer was lost'));
    };
    await expect(inActivity(() => perform(switchOn(light, { act })))).rejects.toThrow('the answer was lost');
    expect(await inActivity(() => perform(switchOn(light, { act })), { attempt: 2 })).toMatchObject({ did: 'settled' });
    expect(light.switched).toBe(1);
  });
});

test('an effect that does not come is not in place: it is tried again, and says what was seen', async () => {
  const light = new Light();
  light.delay = Infinity;
  await expect(inActivity(() => perform(switchOn(light, { within: 10_000 })))).rejects.toMatchObject({
    type: 'NotInPlace',
    nonRetryable: false,
    message: expect.stringMatching(/After 10 s the step is still underway: it is warming up/),
  });
  expect(light.switched).toBe(1);
});

test('what a look or the act throws is thrown', async () => {
  const fails = { probe: () => Promise.reject(new Error('blind')), act: () => Promise.resolve() };
  await expect(inActivity(() => perform(fails))).rejects.toThrow('blind');
});

test('tells how far it has come', async () => {
  const light = new Light();
  const running = beginActivity(() => perform(switchOn(light)));
  await quickly(running.result);
  expect(running.progress).toEqual(['begun', 'acting', 'acted', 'verified']);
  const again = beginActivity(() => perform(switchOn(light)));
  await quickly(again.result);
  expect(again.progress).toEqual(['begun', 'verified']);
});

test('a step that only looks says that it observed', async () => {
  expect(await inActivity(() => observe(() => Promise.resolve({ tables: 3 })))).toEqual({
    did: 'observed',
    evidence: { tables: 3 },
  });
});

test('a cancellation ends the wait', async () => {
  const light = new Light();
  light.delay = Infinity;
  const running = beginActivity(() => perform(switchOn(light)));
  await jest.advanceTimersByTimeAsync(3_000);
  const { looks } = light;
  expect(looks).toBeGreaterThan(2);
  running.cancel();
  await expect(quickly(running.result)).rejects.toMatchObject({ name: 'CancelledFailure' });
  await jest.advanceTimersByTimeAsync(3_000);
  expect(light.looks).toBeLessThanOrEqual(looks + 1);
});

test('what takes long is looked at less and less often, where the step says so', async () => {
  const often = new Light();
  const seldom = new Light();
  often.delay = seldom.delay = 100_000;
  await inActivity(() => perform(switchOn(often)));
  await inActivity(() => perform(switchOn(seldom, { every: (waited) => Math.max(500, waited / 4) })));
  expect(often.looks).toBeGreaterThan(150);
  expect(seldom.looks).toBeLessThan(40);
});
