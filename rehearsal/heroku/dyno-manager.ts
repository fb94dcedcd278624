import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OrphanGuard } from '../orphan-guard.ts';
import { freePort, portAnswers } from '../ports.ts';
import { ApiError } from './api-error.ts';
import { startDynoProcess, type DynoProcess } from './dyno-process.ts';
import { joinClient } from './dyno-session.ts';
import { keepOutput, writeLog } from './logs.ts';
import type { Rendezvous } from './rendezvous.ts';
import { currentRelease, type App, type Dyno, type DynoState, type Platform, type Release } from './state.ts';

export interface OneOff {
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
  readonly attach: boolean;
  readonly type: string;
}

export interface DynoManager {
  /** Replaces every dyno of the formation by one of the current release. One-off dynos run on [docs]. */
  rollOver(app: App): void;
  /** Starts and stops dynos until there are as many as the formation says. */
  fitFormation(app: App): void;
  /** Ends these dynos; those of the formation come back. Answers nothing: the request returns at once [source]. */
  restart(app: App, which: (dyno: Dyno) => boolean): void;
  runOneOff(app: App, oneOff: OneOff): Dyno;
  /** Whether the command succeeded. */
  runReleasePhase(app: App, release: Release, command: string): Promise<boolean>;
  stopAll(): Promise<void>;
}

/** What is known of a dyno beside what the API shows. */
interface Life {
  stopping: boolean;
  process?: DynoProcess;
  /** Settles when nothing of the dyno is left. */
  done: Promise<unknown>;
  readonly abort: AbortController;
}

interface Started {
  readonly dyno: Dyno;
  readonly life: Life;
}

const LONGEST_BACKOFF_MS = 30_000;
const END: readonly NodeJS.Signals[] = ['SIGTERM'];
/** What a terminal that goes away sends. SIGTERM too, for a command that ignores the hang-up. */
const HANG_UP: readonly NodeJS.Signals[] = ['SIGHUP', 'SIGTERM'];

export function createDynoManager(
  platform: () => Platform,
  rendezvous: Rendezvous,
  guard: OrphanGuard,
  pythonBin: string,
): DynoManager {
  const lives = new Map<Dyno, Life>();

  const create = (app: App, release: Release, name: string, type: string, command: string): Started => {
    const now = new Date();
    const dyno: Dyno = {
      id: randomUUID(),
      name,
      type,
      command,
      release,
      createdAt: now,
      updatedAt: now,
      state: 'starting',
    };
    const life: Life = { stopping: false, done: Promise.resolve(), abort: new AbortController() };
    app.dynos.set(name, dyno);
    lives.set(dyno, life);
    writeLog(app, 'heroku', name, 'Starting process');
    return { dyno, life };
  };

  const setState = (app: App, dyno: Dyno, state: DynoState): void => {
    writeLog(app, 'heroku', dyno.name, `State changed from ${dyno.state} to ${state}`);
    dyno.state = state;
    dyno.updatedAt = new Date();
  };

  const forget = (app: App, dyno: Dyno): void => {
    if (app.dynos.get(dyno.name) === dyno) app.dynos.delete(dyno.name);
    lives.delete(dyno);
  };

  /** Undefined when the dyno was stopped before its process could be started. */
  const launch = async (
    dyno: Dyno,
    life: Life,
    env: Record<string, string>,
    input: boolean,
  ): Promise<DynoProcess | undefined> => {
    const { slug, config } = dyno.release;
    if (!slug || life.stopping) return undefined;
    const started = await startDynoProcess(
      {
        command: dyno.command,
        slugDir: slug.dir,
        folder: join(platform().workDir, 'dynos', dyno.id),
        env: { ...config, DYNO: dyno.name, ...env },
        pythonBin,
        input,
      },
      guard,
    );
    life.process = started;
    if (life.stopping) {
      await started.kill(END, 0);
      return undefined;
    }
    return started;
  };

  const end = async (app: App, dyno: Dyno, signals = END): Promise<void> => {
    const life = lives.get(dyno);
    if (!life) return;
    if (!life.stopping) {
      life.stopping = true;
      life.abort.abort();
      writeLog(app, 'heroku', dyno.name, 'Stopping all processes with SIGTERM');
    }
    await life.process?.kill(signals, platform().settings.stopGraceMs);
    await life.done;
    forget(app, dyno);
  };

  const startFormationDyno = (app: App, type: string, name: string, crashes: number): void => {
    const release = currentRelease(app);
    const command = release?.slug?.processTypes[type];
    if (!release || command === undefined || platform().stopped.aborted) return;
    const { dyno, life } = create(app, release, name, type, command);
    life.done = serve(app, dyno, life, crashes).catch(() => setState(app, dyno, 'crashed'));
  };

  const serve = async (app: App, dyno: Dyno, life: Life, crashes: number): Promise<void> => {
    const port = dyno.type === 'web' ? await freePort() : undefined;
    const process = await launch(dyno, life, port === undefined ? {} : { PORT: String(port) }, false);
    if (!process) return;
    keepOutput(app, dyno, process);
    let ended = false;
    void process.ended.then(() => (ended = true));
    if (port === undefined) {
      setState(app, dyno, 'up');
    } else {
      const deadline = Date.now() + platform().settings.bootLimitMs;
      // [docs] A web dyno is up when it has bound its port; one that takes longer than the limit is killed (R10).
      let answering = false;
      while (!answering && !ended && !life.stopping && Date.now() < deadline) {
        answering = await portAnswers(port);
        if (!answering) await sleep(40);
      }
      if (answering && !ended && !life.stopping) {
        dyno.port = port;
        setState(app, dyno, 'up');
      } else if (!ended && !life.stopping) {
        writeLog(app, 'heroku', dyno.name, 'Error R10 (Boot timeout) -> Web process failed to bind to $PORT in time');
        await process.kill(['SIGKILL'], 0);
      }
    }
    const wasUp = dyno.state === 'up';
    const code = await process.ended;
    if (life.stopping) return;
    setState(app, dyno, 'crashed');
    writeLog(app, 'heroku', dyno.name, `Process exited with status ${code ?? 'by a signal'}`);
    // [docs] A crashed dyno is restarted, later and later. The platform's waits are minutes; these are seconds.
    const round = wasUp ? 0 : crashes;
    const wait = Math.min(platform().settings.crashBackoffMs * 2 ** round, LONGEST_BACKOFF_MS);
    await sleep(wait, undefined, { signal: life.abort.signal }).catch(() => undefined);
    if (life.stopping) return;
    forget(app, dyno);
    startFormationDyno(app, dyno.type, dyno.name, round + 1);
  };

  const fitFormation = (app: App): void => {
    for (const { type, quantity } of app.formation.values()) {
      // The release process runs with a release and never as a standing dyno [docs].
      if (type === 'release') continue;
      for (const dyno of app.dynos.values()) {
        if (dyno.type !== type || !isOfFormation(app, dyno) || indexOf(dyno) <= quantity) continue;
        app.dynos.delete(dyno.name);
        void end(app, dyno);
      }
      for (let index = 1; index <= quantity; index += 1) {
        const name = `${type}.${index}`;
        if (!app.dynos.has(name)) startFormationDyno(app, type, name, 0);
      }
    }
  };

  const restart = (app: App, which: (dyno: Dyno) => boolean): void => {
    for (const dyno of [...app.dynos.values()].filter(which)) {
      // The new dyno starts while the old one still has its time to end [docs].
      if (isOfFormation(app, dyno)) app.dynos.delete(dyno.name);
      void end(app, dyno);
    }
    fitFormation(app);
  };

  const finishOneOff = async (app: App, dyno: Dyno, code: number | null): Promise<void> => {
    setState(app, dyno, code === 0 ? 'complete' : 'crashed');
    writeLog(app, 'heroku', dyno.name, `Process exited with status ${code ?? 'by a signal'}`);
    const { signal } = (lives.get(dyno) as Life).abort;
    // [assumed] Listed for a moment, then gone: a client must be ready for both.
    await sleep(platform().settings.endedDynoMs, undefined, { signal }).catch(() => undefined);
    forget(app, dyno);
  };

  const runDetached = async (app: App, dyno: Dyno, life: Life, env: Record<string, string>): Promise<number | null> => {
    const process = await launch(dyno, life, env, false);
    if (!process) return null;
    setState(app, dyno, 'up');
    // [docs] A detached dyno runs on by itself, and its output goes to the log.
    keepOutput(app, dyno, process);
    return process.ended;
  };

  const runAttached = async (app: App, dyno: Dyno, life: Life, env: Record<string, string>): Promise<number | null> => {
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
      const process = await launch(dyno, life, env, true);
      if (!process) return null;
      setState(app, dyno, 'up');
      // [docs] The dyno ends when its client disconnects.
      client.onLeave(() => void process.kill(HANG_UP, platform().settings.stopGraceMs));
      client.connect(process);
      return await process.ended;
    } finally {
      // No word of how it ended: the protocol has none [seen].
      client.finish();
    }
  };

  return {
    rollOver: (app) => restart(app, (dyno) => isOfFormation(app, dyno)),
    fitFormation,
    restart,
    runOneOff: (app, oneOff) => {
      const release = currentRelease(app);
      // [source] 409 while there is nothing deployed yet; the CLI asks again.
      if (!release?.slug) throw new ApiError(409, 'conflict', 'There is no release to run yet.');
      const { dyno, life } = create(app, release, freeName(app, 'run'), oneOff.type, oneOff.command);
      const run = oneOff.attach ? runAttached : runDetached;
      life.done = run(app, dyno, life, { ...oneOff.env }).then(
        (code) => finishOneOff(app, dyno, code),
        () => finishOneOff(app, dyno, null),
      );
      return dyno;
    },
    runReleasePhase: async (app, release, command) => {
      const { dyno, life } = create(app, release, freeName(app, 'release'), 'release', command);
      const run = runDetached(app, dyno, life, {});
      life.done = run.then(
        (code) => finishOneOff(app, dyno, code),
        () => finishOneOff(app, dyno, null),
      );
      return (await run.catch(() => null)) === 0;
    },
    stopAll: async () => {
      await Promise.all(
        [...lives].map(async ([dyno, life]) => {
          life.stopping = true;
          life.abort.abort();
          await life.process?.kill(END, platform().settings.stopGraceMs);
          await life.done;
          lives.delete(dyno);
        }),
      );
    },
  };
}

function isOfFormation(app: App, dyno: Dyno): boolean {
  return app.formation.has(dyno.type) && /^[A-Za-z0-9_-]+\.\d{1,2}$/.test(dyno.name) && dyno.type !== 'release';
}

function indexOf(dyno: Dyno): number {
  return Number(dyno.name.slice(dyno.name.lastIndexOf('.') + 1));
}

/** `run.1234`, as the platform names one-off dynos [docs]. */
function freeName(app: App, prefix: string): string {
  for (;;) {
    const name = `${prefix}.${randomInt(1000, 10_000)}`;
    if (!app.dynos.has(name)) return name;
  }
}
