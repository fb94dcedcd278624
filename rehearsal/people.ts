import { Octokit } from '@octokit/rest';
import type { WorkflowHandle } from '@temporalio/client';
import type { DeployedApp } from './apps.ts';
import type { Platform } from './platform.ts';
import type { Status } from '../workflows/view.ts';

/** What people do in a cutover, played by the rehearsal through the same doors that people use. */
export interface People {
  /**
   * Does what the run waits for, once for each thing that it waits for.
   *
   * @returns what was done, where the run's own status will not say so
   */
  answer(status: Status): Promise<string | undefined>;
  /** True once they have answered what the run asks now; it may not have taken the answer in yet. */
  hasAnswered(status: Status): boolean;
}

/** What somebody has at hand who acts in a rehearsal. */
export interface Acting {
  readonly handle: WorkflowHandle;
  readonly platform: Platform;
  readonly app: DeployedApp;
  readonly status: Status;
  /** Prints a line about what was seen, where somebody reads along. */
  readonly tell?: (text: string) => void;
}

/** Something that people do otherwise in a scenario, once, as soon as its moment has come. */
export interface Intervention {
  /** What is told of it. */
  readonly told: string;
  readonly when: (status: Status) => boolean;
  readonly act: (acting: Acting) => Promise<unknown>;
  /** True: what the run asks at that moment is answered all the same. */
  readonly andAnswer?: boolean;
}

/** Approves each gate in the names that the target file allows, and merges the pull request when the run waits for it. */
export function createPeople(
  handle: WorkflowHandle,
  platform: Platform,
  app: DeployedApp,
  interventions: readonly Intervention[] = [],
): People {
  const answered = new Set<string>();
  const once = (key: string): boolean => !answered.has(key) && answered.add(key) !== undefined;
  const ahead = [...interventions];

  const approve = async (status: Status, { signal, message, from, needed }: NonNullable<Status['waitingFor']>) => {
    // Where one person may do it alone, it is the one who asked; else it is the others.
    const others = from.filter((name) => name !== status.requestedBy);
    const names = 'confirm' in message ? [status.requestedBy] : [...others, ...from];
    for (const by of names.slice(0, needed)) {
      await handle.signal(signal, { ...message, ...typedOut(message, status.app), by });
    }
  };
  return {
    hasAnswered: (status) => answered.has(questionOf(status)),
    async answer(status) {
      const question = questionOf(status);
      const [next] = ahead;
      // One after the other: the next one's moment comes behind the one before it.
      if (next?.when(status) === true) {
        ahead.shift();
        await next.act({ handle, platform, app, status });
        if (next.andAnswer !== true) answered.add(question);
        return next.told;
      }
      const waiting = status.waitingFor;
      if (waiting !== null && waiting.signal !== 'resolve' && waiting.needed > 0 && once(question)) {
        await approve(status, waiting);
        return undefined;
      }
      if (waitsForMerge(status) && once('merge')) {
        await merge(platform, app);
        return `#${app.pull.number} merged by the rehearsal`;
      }
      return undefined;
    },
  };
}

/** What the run asks now; another round of the same gate is another question. */
function questionOf(status: Status): string {
  return status.waitingFor === null ? '' : JSON.stringify([status.waitingFor.message, status.waitingFor.round]);
}

/** What a message asks its sender to type. */
function typedOut(message: Readonly<Record<string, unknown>>, app: string): Record<string, string> {
  return {
    ...('confirm' in message ? { confirm: app } : {}),
    ...('reason' in message ? { reason: 'the rehearsal wants to see it' } : {}),
  };
}

/** True while the run polls for the pull request. */
export function waitsForMerge(status: Status): boolean {
  return status.items.some((item) => item.id === 'await-pull-request' && item.state === 'running');
}

async function merge({ github }: Platform, app: DeployedApp): Promise<void> {
  const [owner = '', repo = ''] = app.repository.split('/');
  const octokit = new Octokit({ baseUrl: github.url, auth: github.token });
  const { data } = await octokit.rest.pulls.get({ owner, repo, pull_number: app.pull.number });
  if (!data.merged) await octokit.rest.pulls.merge({ owner, repo, pull_number: app.pull.number });
}
