import type { Acting } from '../people.ts';
import type { Platform } from '../platform.ts';
import type { Scenario } from '../scenarios.ts';
import { loadText, notStored, startLoad, unexplained, type Load } from '../load.ts';
import { expectEvents, isAt } from './expect.ts';
import { person } from './heroku-person.ts';

/** Milliseconds in which the dynos of a release are up, and serve. */
const restartMs = 10_000;
/** Releases that are looked through: a rotation makes a few. */
const releasesRead = 30;

const loads = new WeakMap<Platform, Load>();

async function rotate({ handle, status }: Acting, credential: 'owner' | 'role'): Promise<void> {
  const by = status.mayRollBack[0];
  await handle.signal('rotate', { by, credential, reason: `the rehearsal wants to see the ${credential} rotated` });
}

/** Stops the clients, and judges what they saw: nothing is lost but while the platform restarts dynos, and no write ever. */
async function judgeLoad({ platform, app }: Acting): Promise<{ text: string; problem: string | null }> {
  const counts = await loads.get(platform)?.stop();
  if (counts === undefined) return { text: 'no load', problem: 'nothing was asked of the app' };
  const heroku = person(platform);
  const [releases, vars] = await Promise.all([
    heroku.listReleases(app.herokuApp, releasesRead),
    heroku.getConfigVars(app.herokuApp),
  ]);
  const made = releases.map((release) => Date.parse(release.created_at));
  const gone = await notStored(platform, vars['DATABASE_URL'] ?? '', counts.accepted);
  const strange = unexplained(counts.lost, made, restartMs);
  const problem =
    gone.length > 0
      ? `${gone.length} customers whom the app had signed up are not in the database`
      : strange.length > 0
        ? `${strange.length} requests were lost that were not under way when dynos were restarted: ${strange[0]?.what}`
        : null;
  return { text: `${loadText(counts)}; every write that was answered is in the database`, problem };
}

/** Credentials are rotated while customers use the app. */
export const rotations = {
  rotate: {
    summary: 'during the watch the owner and then the role are rotated, while clients read and write through the app',
    // Where old dynos serve until the new ones do, a restart costs what is under way and no more.
    options: { platform: { preboot: true } },
    target: { restart: { prebootSeconds: 6 } },
    people: [
      {
        told: 'clients begin to read and write, and the owner is rotated',
        when: isAt('launch'),
        act: async (acting) => {
          // Each user name of the role outlives the dynos that use it, as with Heroku's half an hour.
          Object.assign(acting.platform.heroku.settings, { rotationMs: 8_000, temporaryUserMs: 8_000 });
          loads.set(acting.platform, startLoad(acting.platform.heroku.webUrl(acting.app.herokuApp)));
          await rotate(acting, 'owner');
        },
      },
      {
        told: 'and then the role',
        when: (status) => isAt('launch')(status) && status.journal.some(({ event }) => event === 'rotated'),
        act: (acting) => rotate(acting, 'role'),
      },
    ],
    judge: (status) => {
      const rotated = status.journal.filter(({ event }) => event === 'rotated').length;
      return expectEvents(status, ['rotationAsked']) ?? (rotated === 2 ? null : `${rotated} rotations; expected 2`);
    },
    after: async (acting) => {
      const { text, problem } = await judgeLoad(acting);
      acting.tell?.(text);
      return problem;
    },
  },
} as const satisfies Record<string, Scenario>;
