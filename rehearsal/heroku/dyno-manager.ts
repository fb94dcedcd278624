import type { OrphanGuard } from '../orphan-guard.ts';
import { createDynoLives } from './dyno-lives.ts';
import { createFormationDynos, isOfFormation } from './formation-dynos.ts';
import { createOneOffDynos, type OneOff } from './one-off-dynos.ts';
import type { Rendezvous } from './rendezvous.ts';
import type { App, Dyno, Platform, Release } from './state.ts';

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

export function createDynoManager(
  platform: () => Platform,
  rendezvous: Rendezvous,
  guard: OrphanGuard,
  pythonBin: string,
): DynoManager {
  const lives = createDynoLives(platform, guard, pythonBin);
  const formation = createFormationDynos(platform, lives);
  const oneOffs = createOneOffDynos(platform, lives, rendezvous);
  return {
    rollOver: (app) => formation.restart(app, (dyno) => isOfFormation(app, dyno)),
    fitFormation: formation.fit,
    restart: formation.restart,
    runOneOff: oneOffs.run,
    runReleasePhase: oneOffs.runReleasePhase,
    stopAll: lives.stopAll,
  };
}
