import { randomBytes, randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, refused } from './api-error.ts';
import type { DynoLives, Started } from './dyno-lives.ts';
import { joinClient } from './dyno-session.ts';
import { keepOutput, writeLog } from './logs.ts';
import type { Rendezvous } from './rendezvous.ts';
import { currentRelease, type App, type Dyno, type Platform, type Release } from './state.ts';

export interface OneOff {
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
  readonly attach: boolean;
  readonly type: string;
}

export interface OneOffDynos {
  run(app: App, oneOff: OneOff): Dyno;
  /** Whether the command succeeded. */
  runReleasePhase(app: App, release: Release, command: string): Promise<boolean>;
}

type Env = Readonly<Record<string, string>>;

/** What a terminal that goes away sends. SIGTERM too, for a command that ignores the hang-up. */
const HANG_UP: readonly NodeJS.Signals[] = ['SIGHUP', 'SIGTERM'];

export function createOneOffDynos(platform: () => Platform, lives: DynoLives, rendezvous: Rendezvous): OneOffDynos {
  const finish = async (app: App, { dyno, life }: Started, code: number | null): Promise<void> => {
    lives.setState(app, dyno, code === 0 ? 'complete' : 'crashed');
    writeLog(app, 'heroku', dyno.name, `Process exited with status ${code ?? 'by a signal'}`);
    // [assumed] Listed for a moment, then gone: a client must be ready for both.
    await sleep(platform().settings.endedDynoMs, undefined, { signal: life.abort.signal }).catch(() => undefined);
    lives.forget(app, dyno);
  };

  const runDetached = async (app: App, started: Started, env: Env): Promise<number | null> => {
    const process = await lives.launch(app, started, { env, input: false });
    if (!process) return null;
    lives.setState(app, started.dyno, 'up');
    // [docs] A detached dyno runs on by itself, and its output goes to the log.
    keepOutput(app, started.dyno, process);
    return process.ended;
  };

  const runAttached = async (app: App, started: Started, env: Env): Promise<number | null> => {
    const { dyno, life } = started;
    const secret = randomBytes(24).toString('hex');
    dyno.attachUrl = rendezvous.urlOf(secret);
    const client = await joinClient(rendezvous, secret, platform().settings.attachLimitMs, life.abort.signal);
    if (!client) {
      // [docs] R13: the client that asked for the dyno did not come.
      writeLog(app, 'heroku', dyno.name, 'Error R13 (Attach error) -> Failed to attach to process');
      return null;
    }
    delete dyno.attachUrl;
    try {
      const process = await lives.launch(app, started, { env, input: true });
      if (!process) return null;
      lives.setState(app, dyno, 'up');
      // [docs] The dyno ends when its client disconnects.
      client.onLeave(() => void process.kill(HANG_UP, platform().settings.stopGraceMs));
      client.connect(process);
      return await process.ended;
    } finally {
      // No word of how it ended: the protocol has none [seen].
      client.finish();
    }
  };

  const follow = (app: App, started: Started, run: Promise<number | null>): void => {
    started.life.done = run.then(
      (code) => finish(app, started, code),
      () => finish(app, started, null),
    );
  };

  return {
    run: (app, { command, env, attach, type }) => {
      const release = currentRelease(app);
      // [source] 409 while there is nothing deployed yet; the CLI asks again.
      if (!release?.slug) throw new ApiError(409, 'conflict', 'There is no release to run yet.');
      if (app.generation === 'fir' && platform().settings.firOneOffs === 'refuse') {
        throw refused('One-off dynos are not available for Fir-generation apps.');
      }
      const started = lives.create(app, { release, name: freeName(app, 'run'), type, command });
      follow(app, started, attach ? runAttached(app, started, env) : runDetached(app, started, env));
      return started.dyno;
    },
    // In a dyno of its own, `release.N`, with the slug and the config vars of the release that is to be [docs].
    runReleasePhase: async (app, release, command) => {
      const started = lives.create(app, { release, name: freeName(app, 'release'), type: 'release', command });
      if (release.output) release.output.started = true;
      const run = runDetached(app, started, {});
      follow(app, started, run);
      return (await run.catch(() => null)) === 0;
    },
  };
}

/** `run.1234`, as the platform names one-off dynos [docs]. */
function freeName(app: App, prefix: string): string {
  for (;;) {
    const name = `${prefix}.${randomInt(1000, 10_000)}`;
    if (!app.dynos.has(name)) return name;
  }
}
