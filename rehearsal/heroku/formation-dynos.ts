import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, portAnswers } from '../ports.ts';
import type { DynoLives, Started } from './dyno-lives.ts';
import { keepOutput, writeLog } from './logs.ts';
import { createPreboot } from './preboot.ts';
import { currentRelease, type App, type BadBoot, type Dyno, type Platform } from './state.ts';

export interface FormationDynos {
  /** Starts and stops dynos until there are as many as the formation says. */
  fit(app: App): void;
  /** Ends these dynos; those of the formation come back. */
  restart(app: App, which: (dyno: Dyno) => boolean): void;
}

const LONGEST_BACKOFF_MS = 30_000;

/** The dynos that the Procfile and the formation ask for. */
export function createFormationDynos(platform: () => Platform, lives: DynoLives): FormationDynos {
  const preboot = createPreboot(platform, lives);

  const start = (app: App, type: string, name: string, crashes: number): void => {
    const release = currentRelease(app);
    const command = release?.slug?.processTypes[type];
    if (!release || command === undefined || platform().stopped.aborted) return;
    const routable = type !== 'web' || app.outgoing.size === 0;
    const started = lives.create(app, { release, name, type, command, routable });
    started.life.done = serve(app, started, crashes).catch(() => lives.setState(app, started.dyno, 'crashed'));
  };

  const serve = async (app: App, started: Started, crashes: number): Promise<void> => {
    const { dyno, life } = started;
    const port = dyno.type === 'web' ? await freePort() : undefined;
    const process = await lives.launch(app, started, {
      env: port === undefined ? {} : { PORT: String(port) },
      input: false,
      ...(dyno.type === 'web' ? { command: bootCommand(dyno, app.webBoot(dyno.release.config)) } : {}),
    });
    if (!process) return;
    keepOutput(app, dyno, process);
    let ended = false;
    void process.ended.then(() => (ended = true));
    if (port === undefined) {
      lives.setState(app, dyno, 'up');
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
        lives.setState(app, dyno, 'up');
      } else if (!ended && !life.stopping) {
        writeLog(app, 'heroku', dyno.name, 'Error R10 (Boot timeout) -> Web process failed to bind to $PORT in time');
        await process.kill(['SIGKILL'], 0);
      }
    }
    const wasUp = dyno.state === 'up';
    const code = await process.ended;
    if (life.stopping) return;
    lives.setState(app, dyno, 'crashed');
    writeLog(app, 'heroku', dyno.name, `Process exited with status ${code ?? 'by a signal'}`);
    // [assumed] Nobody restarts a dyno that is on its way out.
    if (app.outgoing.has(dyno)) return lives.forget(app, dyno);
    // [docs] A crashed dyno is restarted, later and later; a new release begins again. The platform's waits are minutes;
    // these are seconds.
    const round = wasUp ? 0 : crashes;
    const wait = Math.min(platform().settings.crashBackoffMs * 2 ** round, LONGEST_BACKOFF_MS);
    await sleep(wait, undefined, { signal: life.abort.signal }).catch(() => undefined);
    if (life.stopping) return;
    lives.forget(app, dyno);
    start(app, dyno.type, dyno.name, round + 1);
  };

  const fit = (app: App): void => {
    for (const { type, quantity } of app.formation.values()) {
      // The release process runs with a release and never as a standing dyno [docs].
      if (type === 'release') continue;
      // A smaller formation takes the old web dynos first, though it is they that serve [docs, Heroku's support].
      for (const dyno of [...app.outgoing, ...app.dynos.values()]) {
        if (dyno.type !== type || !isOfFormation(app, dyno) || indexOf(dyno) <= quantity) continue;
        app.outgoing.delete(dyno);
        if (app.dynos.get(dyno.name) === dyno) app.dynos.delete(dyno.name);
        void lives.end(app, dyno);
      }
      for (let index = 1; index <= quantity; index += 1) {
        const name = `${type}.${index}`;
        if (!app.dynos.has(name)) start(app, type, name, 0);
      }
    }
  };

  return {
    fit,
    restart: (app, which) => {
      for (const dyno of [...app.dynos.values()].filter(which)) {
        // The new dyno starts while the old one still has its time to end [docs].
        if (isOfFormation(app, dyno)) app.dynos.delete(dyno.name);
        if (isOfFormation(app, dyno) && preboot.keeps(app, dyno)) app.outgoing.add(dyno);
        else void lives.end(app, dyno);
      }
      fit(app);
      preboot.switchLater(app);
    },
  };
}

export function isOfFormation(app: App, dyno: Dyno): boolean {
  return app.formation.has(dyno.type) && /^[A-Za-z0-9_-]+\.\d{1,2}$/.test(dyno.name) && dyno.type !== 'release';
}

function indexOf(dyno: Dyno): number {
  return Number(dyno.name.slice(dyno.name.lastIndexOf('.') + 1));
}

/** The same process does it that would otherwise serve: a client sees no difference to an app that is at fault. */
function bootCommand(dyno: Dyno, boot: BadBoot | undefined): string {
  const { delayMs = 0, exitCode, prints } = boot ?? {};
  return [
    ...(prints === undefined ? [] : [`echo '${prints.replaceAll("'", `'\\''`)}'`]),
    ...(delayMs > 0 ? [`sleep ${delayMs / 1000}`] : []),
    exitCode === undefined ? dyno.command : `exit ${exitCode}`,
  ].join('; ');
}
