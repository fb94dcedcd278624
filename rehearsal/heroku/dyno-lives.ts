import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { OrphanGuard } from '../orphan-guard.ts';
import { metadataOf } from './dyno-metadata.ts';
import { startDynoProcess, type DynoProcess } from './dyno-process.ts';
import { writeLog } from './logs.ts';
import type { App, Dyno, DynoState, Platform, Release } from './state.ts';

/** What is known of a dyno beside what the API shows. */
export interface Life {
  stopping: boolean;
  process?: DynoProcess;
  /** Settles when nothing of the dyno is left. */
  done: Promise<unknown>;
  readonly abort: AbortController;
}

export interface Started {
  readonly dyno: Dyno;
  readonly life: Life;
}

export interface Launch {
  /** On top of the release's config vars. */
  readonly env: Readonly<Record<string, string>>;
  readonly input: boolean;
  /** What is run, where that is not the command that the API shows. */
  readonly command?: string;
}

/** The dynos that there are, of whatever kind, from their creation to their end. */
export interface DynoLives {
  create(
    app: App,
    what: { release: Release; name: string; type: string; command: string; routable?: boolean },
  ): Started;
  setState(app: App, dyno: Dyno, state: DynoState): void;
  /** Undefined when the dyno was stopped before its process could be started. */
  launch(app: App, started: Started, launch: Launch): Promise<DynoProcess | undefined>;
  /** Ends a dyno, by SIGTERM unless said, and forgets it. */
  end(app: App, dyno: Dyno): Promise<void>;
  forget(app: App, dyno: Dyno): void;
  stopAll(): Promise<void>;
}

const END: readonly NodeJS.Signals[] = ['SIGTERM'];

export function createDynoLives(platform: () => Platform, guard: OrphanGuard, pythonBin: string): DynoLives {
  const lives = new Map<Dyno, Life>();

  const forget = (app: App, dyno: Dyno): void => {
    if (app.dynos.get(dyno.name) === dyno) app.dynos.delete(dyno.name);
    app.outgoing.delete(dyno);
    lives.delete(dyno);
  };

  return {
    create: (app, { routable = true, ...what }) => {
      const now = new Date();
      const dyno: Dyno = {
        id: randomUUID(),
        ...what,
        createdAt: now,
        updatedAt: now,
        state: 'starting',
        routable,
        inFlight: 0,
      };
      const life: Life = { stopping: false, done: Promise.resolve(), abort: new AbortController() };
      app.dynos.set(dyno.name, dyno);
      lives.set(dyno, life);
      writeLog(app, 'heroku', dyno.name, 'Starting process');
      return { dyno, life };
    },
    setState: (app, dyno, state) => {
      writeLog(app, 'heroku', dyno.name, `State changed from ${dyno.state} to ${state}`);
      dyno.state = state;
      dyno.updatedAt = new Date();
    },
    launch: async (app, { dyno, life }, { env, input, command = dyno.command }) => {
      const { slug, config } = dyno.release;
      if (!slug || life.stopping) return undefined;
      const started = await startDynoProcess(
        {
          command,
          slugDir: slug.dir,
          folder: join(platform().workDir, 'dynos', dyno.id),
          env: { ...metadataOf(app, dyno), ...config, DYNO: dyno.name, ...env },
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
    },
    end: async (app, dyno) => {
      const life = lives.get(dyno);
      if (!life) return;
      if (!life.stopping) {
        life.stopping = true;
        life.abort.abort();
        writeLog(app, 'heroku', dyno.name, 'Stopping all processes with SIGTERM');
      }
      await life.process?.kill(END, platform().settings.stopGraceMs);
      await life.done;
      forget(app, dyno);
    },
    forget,
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
