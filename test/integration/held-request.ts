import type { Intercept } from '../../rehearsal/heroku/index.ts';

/** A request that the platform does not take until somebody lets it go. */
export interface HeldRequest {
  readonly intercept: Intercept;
  isHeld(): boolean;
  release(): void;
}

/** Holds the first request that matches; every other one passes. */
export function holdRequest(matches: (request: Parameters<Intercept>[0]) => boolean): HeldRequest {
  let isHeld = false;
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  return {
    async intercept(request) {
      if (isHeld || !matches(request)) return undefined;
      isHeld = true;
      await released;
      return undefined;
    },
    isHeld: () => isHeld,
    release: () => release(),
  };
}
