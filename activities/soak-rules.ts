import type { SoakRules } from '../workflows/soak-clock.ts';
import type { Target } from './target.ts';

/** How a soak of the app goes. What cannot be rehearsed is said, and not left out in silence. */
export function soakRulesOf({ soak, rollback, database }: Target): SoakRules {
  const whyNot = !soak.rehearseWayBack
    ? 'the target file turns it off (soak.rehearseWayBack)'
    : rollback === undefined
      ? 'the target file does not say how to go back to SQLite (rollback)'
      : !database.promote
        ? 'the target file does not allow the runbook to promote the add-on again (database.promote)'
        : null;
  return {
    forMs: soak.for,
    everyMs: soak.every,
    onRed: soak.onRed,
    onGap: soak.onGap,
    rehearses: whyNot === null,
    whyNot,
  };
}
