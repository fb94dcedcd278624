import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { preparePython } from '../../rehearsal/python.ts';
import { composeSlug } from '../../rehearsal/slugs.ts';
import { eventually, HerokuWorld, sqlState, withDatabase } from './heroku-client.ts';

const APP = 'releasing-api';

let world: HerokuWorld;
let url: string;

beforeAll(async () => {
  const { bin } = await preparePython(() => undefined);
  world = await HerokuWorld.start({}, bin);
  await world.heroku.createApp({ name: APP, slug: await world.slug('web: python3 web.py\n'), web: 0 });
  await world.heroku.createAddon({ app: APP, name: 'releasing-db', plan: 'standard-0' });
  url = (await world.config(APP)).DATABASE_URL as string;
});
afterAll(() => world?.stop());

const slugOf = async (withPullRequest: boolean) => {
  const slug = await composeSlug({ app: 'raptor', into: join(await world.folder(), 'slug'), withPullRequest });
  await appendFile(join(slug.dir, 'Procfile'), 'release: alembic upgrade head\n');
  return slug;
};
const revision = (): Promise<string | undefined> =>
  withDatabase(url, async (client) => {
    const { rows } = await client.query('SELECT version_num FROM alembic_version');
    return rows[0]?.version_num;
  });
const settled = () =>
  eventually(
    () => world.newestRelease(APP),
    ({ status }) => status !== 'pending',
  );
const outputOf = async (release: any): Promise<{ status: number; text: string }> => {
  const response = await fetch(release.output_stream_url);
  return { status: response.status, text: await response.text() };
};
let first: string | undefined;

test('a deploy migrates, in a one-off dyno of its own, whose output can be read', async () => {
  const { status } = await world.heroku.deploy(APP, await slugOf(false));
  expect(status).toBe('succeeded');
  first = await revision();
  expect(first).toMatch(/^0002/);
  const { status: found, text } = await outputOf(await world.newestRelease(APP));
  expect([found, text]).toEqual([200, expect.stringContaining('Running upgrade')]);
  expect(world.heroku.secrets().filter((secret) => text.includes(secret))).toEqual([]);
});

test('a config change by a user migrates too, with its own new values, before it is current', async () => {
  await withDatabase(url, (client) => client.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public'));
  await world.setConfig(APP, { GREETING: 'hello' });
  const pending = await world.newestRelease(APP);
  expect(pending).toMatchObject({ status: 'pending', current: false });
  const ofIt = (await world.dynos(APP)).filter(({ release }) => release.version === pending.version);
  expect(ofIt).toMatchObject([{ type: 'release', name: expect.stringMatching(/^release\.\d+$/) }]);
  expect(await settled()).toMatchObject({ version: pending.version, status: 'succeeded', current: true });
  expect(await revision()).toBe(first);
});

test('one that fails leaves the old release serving, and says why', async () => {
  const { version } = await world.newestRelease(APP);
  await world.setConfig(APP, { PGOPTIONS: '-c search_path=nowhere' });
  const failed = await settled();
  expect(failed).toMatchObject({ status: 'failed', current: false });
  const current = (await world.call('GET', `/apps/${APP}/releases`)).body.filter((one: any) => one.current);
  expect(current).toMatchObject([{ version }]);
  expect((await outputOf(failed)).text).toMatch(/InvalidSchemaName|no schema has been selected/);
  expect((await world.config(APP)).PGOPTIONS).toBeDefined();
  await world.setConfig(APP, { PGOPTIONS: null });
  expect(await settled()).toMatchObject({ status: 'succeeded' });
});

test("an add-on's own change does not run it, and has no output", async () => {
  await withDatabase(url, (client) => client.query('DROP TABLE alembic_version'));
  await world.heroku.rotateCredential({ addon: 'releasing-db' });
  url = (await world.config(APP)).DATABASE_URL as string;
  const release = await world.newestRelease(APP);
  expect(release).toMatchObject({ status: 'succeeded', current: true, output_stream_url: null });
  expect(await sqlState(revision())).toBe('42P01');
  await withDatabase(url, (client) => client.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public'));
});

test('an attachment by a user runs it, and so does provisioning where that is asked for', async () => {
  await world.heroku.attach({ addon: 'releasing-db', app: APP, as: 'SPARE' });
  expect((await world.newestRelease(APP)).status).toBe('succeeded');
  expect(await revision()).toBe(first);
  await world.heroku.createAddon({ app: APP, name: 'second-db', plan: 'standard-0' });
  expect((await world.newestRelease(APP)).output_stream_url).toBeNull();
  await world.heroku.createAddon({ app: APP, name: 'third-db', plan: 'standard-0', by: 'user' });
  expect((await world.newestRelease(APP)).output_stream_url).not.toBeNull();
});

test('a deploy with one revision more goes on from there', async () => {
  expect((await world.heroku.deploy(APP, await slugOf(true))).status).toBe('succeeded');
  expect(await revision()).toMatch(/^0003/);
});

test('the output of a command that has not begun is 404, as it is of one that never ran', async () => {
  const unknown = await fetch(`${world.heroku.url}/streams/release-unknown`);
  expect([unknown.status, ((await unknown.json()) as { id: string }).id]).toEqual([404, 'not_found']);
});
