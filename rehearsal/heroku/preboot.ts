import { setTimeout as sleep } from 'node:timers/promises';
import type { DynoLives } from './dyno-lives.ts';
import { isEnabled } from './features.ts';
import { writeLog } from './logs.ts';
import type { App, Dyno, Platform } from './state.ts';

export interface Preboot {
  /** Whether a web dyno that is to be replaced serves on for now. */
  keeps(app: App, dyno: Dyno): boolean;
  /** Plans the switch from the old web dynos to the new ones; a newer release plans it anew. */
  switchLater(app: App): void;
}

const LOOK_MS = 50;
/** Looks after which a request that is still not answered is cut off. */
const DRAIN_LOOKS = 100;

/**
 * Preboot: new web dynos start beside the old ones, and get no requests. Some three minutes after the release the router
 * goes over to them, and the old ones are stopped [docs]. It asks of the new ones only that they have had the time to
 * boot: when they crash, the old ones are stopped all the same [docs, heroku/roadmap 139: no rollback on crashing dynos].
 */
export function createPreboot(platform: () => Platform, lives: DynoLives): Preboot {
  /** The switch that counts, for each app. */
  const planned = new Map<App, symbol>();

  const switchOver = async (app: App): Promise<void> => {
    const plan = Symbol(app.name);
    planned.set(app, plan);
    const { settings, stopped } = platform();
    const deadline = Date.now() + settings.bootLimitMs;
    const booting = (): boolean =>
      [...app.dynos.values()].some(({ type, state }) => type === 'web' && state === 'starting');
    while (booting() && Date.now() < deadline && planned.get(app) === plan) {
      await sleep(LOOK_MS, undefined, { signal: stopped });
    }
    await sleep(settings.prebootMs, undefined, { signal: stopped });
    if (planned.get(app) !== plan) return;
    planned.delete(app);
    const old = [...app.outgoing];
    app.outgoing.clear();
    for (const dyno of app.dynos.values()) dyno.routable = true;
    writeLog(app, 'heroku', 'router', 'Requests go to the new web dynos');
    for (const dyno of old) void drained(dyno, stopped).then(() => lives.end(app, dyno));
  };

  /** A dyno that is told to end has its time for the requests that it has already [docs]. */
  const drained = async (dyno: Dyno, stopped: AbortSignal): Promise<void> => {
    for (let looks = 0; dyno.inFlight > 0 && looks < DRAIN_LOOKS && !stopped.aborted; looks += 1) await sleep(LOOK_MS);
  };

  return {
    // Those that never served are of no use: a release that follows soon enough replaces them at once [assumed].
    keeps: (app, dyno) => dyno.type === 'web' && isEnabled(app, 'preboot') && dyno.routable && dyno.state === 'up',
    switchLater: (app) => {
      if (app.outgoing.size === 0) return;
      // Only the end of the stand-in breaks it off.
      void switchOver(app).catch(() => undefined);
    },
  };
}
