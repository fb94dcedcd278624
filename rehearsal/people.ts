import { Octokit } from '@octokit/rest';
import type { WorkflowHandle } from '@temporalio/client';
import type { RehearsedApp } from './apps.ts';
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
}

/** Approves each gate under a rehearsal name, and merges the pull request when the run waits for it. */
export function createPeople(handle: WorkflowHandle, platform: Platform, app: RehearsedApp): People {
  const answered = new Set<string>();
  const once = (key: string): boolean => !answered.has(key) && answered.add(key) !== undefined;
  return {
    async answer(status) {
      const waiting = status.waitingFor;
      if (waiting?.signal === 'approve' && once(JSON.stringify(waiting.message))) {
        const others = waiting.from.filter((name) => name !== status.requestedBy);
        for (const by of [...others, ...waiting.from].slice(0, waiting.needed)) {
          await handle.signal('approve', { ...waiting.message, ...typedOut(waiting.message, status.app), by });
        }
        return undefined;
      }
      if (waiting?.signal === 'launch' && once(JSON.stringify(waiting.message))) {
        for (const by of waiting.from.slice(0, waiting.needed)) {
          await handle.signal('launch', { ...waiting.message, ...typedOut(waiting.message, status.app), by });
        }
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

/** What a message asks its sender to type. */
function typedOut(message: Readonly<Record<string, unknown>>, app: string): Record<string, string> {
  return 'confirm' in message ? { confirm: app } : {};
}

/** True while the run polls for the pull request. */
export function waitsForMerge(status: Status): boolean {
  return status.items.some((item) => item.id === 'await-pull-request' && item.state === 'running');
}

async function merge({ github }: Platform, app: RehearsedApp): Promise<void> {
  const [owner = '', repo = ''] = app.repository.split('/');
  const octokit = new Octokit({ baseUrl: github.url, auth: github.token });
  const { data } = await octokit.rest.pulls.get({ owner, repo, pull_number: app.pull.number });
  if (!data.merged) await octokit.rest.pulls.merge({ owner, repo, pull_number: app.pull.number });
}
