import { describe, expect, jest, test } from '@jest/globals';
import { sampleTarget } from './sample-target.ts';
import { expectRefusal, withQuickTime } from './world-tests.ts';
import { World } from './world.ts';

withQuickTime();

const revision = (filename: string, status = 'added') => ({ filename, status });

describe('inspecting', () => {
  test.each<[string, { filename: string; status: string }[], string[]]>([
    ['no file', [], []],
    ['an added revision', [revision('db/versions/0003_grants.py')], ['db/versions/0003_grants.py']],
    ['a changed one', [revision('db/versions/0003_grants.py', 'modified')], ['db/versions/0003_grants.py']],
    ['a renamed one', [revision('db/versions/0003_grants.py', 'renamed')], ['db/versions/0003_grants.py']],
    ['a removed one', [revision('db/versions/0003_grants.py', 'removed')], []],
    ['another folder', [revision('other/versions/0003.py'), revision('db/versions_old/0003.py')], []],
    ['no Python', [revision('db/versions/README.md')], []],
    [
      'several, in order',
      [revision('db/versions/b.py'), revision('docs/x.md'), revision('db/versions/a.py')],
      ['db/versions/a.py', 'db/versions/b.py'],
    ],
    [
      'one far down a long list',
      [...Array.from({ length: 250 }, (_, n) => revision(`docs/${n}.md`)), revision('db/versions/z.py')],
      ['db/versions/z.py'],
    ],
  ])('%s', async (_, files, revisionFiles) => {
    const world = new World();
    world.github.files = files;
    expect(await world.perform('inspect-pull-request')).toEqual({
      did: 'observed',
      evidence: { number: 12, repository: 'owner/name', title: 'Grants', base: 'main', merged: false, revisionFiles },
    });
  });
});

describe.each(['inspect-pull-request', 'await-pull-request'] as const)('%s refuses', (step) => {
  test('a pull request that was closed without being merged', async () => {
    const world = new World();
    world.github.pull = { ...world.github.pull, state: 'closed' };
    await expectRefusal(
      world,
      step,
      'PullRequestRefused',
      /12 of owner\/name was closed without being merged\. Reopen/,
    );
  });

  test('one for another branch, merged or not', async () => {
    for (const merged of [false, true]) {
      const world = new World();
      if (merged) world.github.merge();
      world.github.pull = { ...world.github.pull, base: { ref: 'develop' } };
      await expectRefusal(world, step, 'PullRequestRefused', /is for the branch develop; expected main\. Retarget/);
    }
  });

  test('a target that names none', async () => {
    const world = new World({ ...sampleTarget(), pullRequest: undefined } as never);
    await expectRefusal(world, step, 'TargetFileInvalid', /names no pull request/);
  });
});

describe('waiting', () => {
  test('until it is merged, however long people take', async () => {
    const world = new World();
    setTimeout(() => world.github.merge(), 3_600_000);
    const { evidence } = await world.perform('await-pull-request');
    expect(evidence).toEqual({
      number: 12,
      base: 'main',
      mergeCommit: 'e5'.repeat(20),
      release: 1,
      proof: 'merged; it brings no revision',
    });
    expect(world.heroku.oneOffs).toEqual([]);
  });

  test('merged is not deployed: until the slug has its revision, asked once for each slug', async () => {
    const world = new World();
    world.github.files = [revision('db/versions/0003_grants.py')];
    world.github.merge();
    setTimeout(() => world.heroku.release('Set a variable'), 60_000);
    setTimeout(() => {
      world.revisions = ['0001', '0002', '0003'];
      world.heroku.slug = { ...world.heroku.slug, id: 'slug-2' };
      world.heroku.release('Deploy e5e5e5');
    }, 600_000);
    const { evidence } = await world.perform('await-pull-request');
    expect(evidence).toMatchObject({ release: 3, proof: 'the slug of v3 has 0003_grants' });
    expect(world.heroku.oneOffs).toHaveLength(2);
  });

  test('a revision whose name only begins alike is another one', async () => {
    const world = new World();
    world.revisions = ['0001', '000', '0003_grants_old'];
    world.github.files = [revision('db/versions/0003_grants.py')];
    world.github.merge();
    await expectRefusal(world, 'await-pull-request', 'DeployOverdue', /still lacks 0003_grants/, { changes: true });
  });

  test('merged and not deployed in time: overdue, with what is lacking', async () => {
    const world = new World();
    world.github.files = [revision('db/versions/0003_grants.py')];
    world.github.merge();
    await expectRefusal(
      world,
      'await-pull-request',
      'DeployOverdue',
      /12 is merged, and after 60 minutes an-app still lacks 0003_grants\. Deploy it/,
    );
  });

  test('the time counts from the merge, and from a decision to try again, not from the worker that looks', async () => {
    const world = new World();
    world.github.files = [revision('db/versions/0003_grants.py')];
    world.github.merge();
    const merged = Date.now();
    const overdueAfter = async (since: number): Promise<number> => {
      const began = Date.now();
      await expectRefusal(world, 'await-pull-request', 'DeployOverdue', /lacks 0003_grants/, { call: { since } });
      return Math.round((Date.now() - began) / 60_000);
    };
    // A worker that takes over three quarters of an hour later, in the attempt that began before the merge.
    await jest.advanceTimersByTimeAsync(45 * 60_000);
    expect(await overdueAfter(merged - 3_600_000)).toBe(15);
    expect(await overdueAfter(Date.now())).toBe(60);
  });

  test('a deploy that is still being released is waited for', async () => {
    const world = new World();
    world.github.files = [revision('db/versions/0003_grants.py')];
    world.github.merge();
    world.heroku.releaseTakes = 120_000;
    world.heroku.release('Deploy e5e5e5');
    world.revisions = ['0001', '0002', '0003_grants'];
    expect((await world.perform('await-pull-request')).evidence.release).toBe(2);
  });

  test('closed while it is waited for', async () => {
    const world = new World();
    setTimeout(() => (world.github.pull = { ...world.github.pull, state: 'closed' }), 600_000);
    await expectRefusal(world, 'await-pull-request', 'PullRequestRefused', /closed without being merged/);
  });
});
