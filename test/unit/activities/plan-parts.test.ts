import { describe, expect, test } from '@jest/globals';
import type { TargetDatabase } from '../../../activities/attached-database.ts';
import type { Attachment, Credential } from '../../../activities/clients/heroku.ts';
import { offlineCommand } from '../../../activities/offline-sql.ts';
import type { Services } from '../../../activities/services.ts';
import { varChanges, type Configured } from '../../../activities/var-changes.ts';
import { sampleTarget } from './sample-target.ts';

const range = { from: '0001', to: '0003', pending: ['0002', '0003'] };
const commandFor = (upgrade: string, vars: Record<string, string> = {}): string | null =>
  offlineCommand(sampleTarget({ migrations: { upgrade } }), range, vars);

describe('the command that prints SQL', () => {
  test.each([
    ['alembic upgrade head', 'alembic upgrade 0001:0003 --sql'],
    ['alembic upgrade heads', 'alembic upgrade 0001:0003 --sql'],
    ['cd service && alembic upgrade head', 'cd service && alembic upgrade 0001:0003 --sql'],
    ['python -m alembic -c db/alembic.ini upgrade head', 'python -m alembic -c db/alembic.ini upgrade 0001:0003 --sql'],
    ['flask db upgrade', 'flask db upgrade 0001:0003 --sql'],
    ['flask --app shop db upgrade', 'flask --app shop db upgrade 0001:0003 --sql'],
  ])('%s', (upgrade, expected) => {
    expect(commandFor(upgrade)?.split('; ').at(-1)).toBe(expected);
  });

  // What is not known could take no notice of what is put behind it, and upgrade.
  test.each([
    './migrate upgrade head',
    'alembic upgrade head && ./seed',
    './seed; alembic upgrade head',
    'alembic upgrade +1',
    'alembic upgrade 0002',
    'python manage.py upgrade',
    'alembic -c $(./seed) upgrade head',
  ])('%s is never tried', (upgrade) => {
    expect(commandFor(upgrade)).toBeNull();
  });

  test('no variable of its dyno leads to a database', () => {
    const url = 'postgres://u:p@db.example/d';
    const command = commandFor('alembic upgrade head', { AMBER_URL: url, OTHER: 'postgresql://x', SETTING: 'a value' });
    const nowhere = 'postgres://offline@127.0.0.1:9/offline';
    expect(command).toMatch(
      new RegExp(
        `^export AMBER_URL=${nowhere} DATABASE_URL=${nowhere} OTHER=${nowhere} PGOPTIONS='-c default_transaction_read_only=on'; `,
      ),
    );
  });
});

describe('the config vars', () => {
  const addon = { id: 'id-main', name: 'main-db', plan: { name: 'heroku-postgresql:standard-0' } };
  const attachment = (name: string, of = addon, namespace: string | null = null): Attachment =>
    ({ name, addon: { id: of.id, name: of.name }, namespace, app: { name: 'an-app' } }) as unknown as Attachment;
  const old = { ...addon, id: 'id-old', name: 'old-db' };
  const credential = { name: 'app_role', state: 'active' } as unknown as Credential;
  const url = 'postgres://app_role:x@db.example/d';
  const services = { heroku: { readCredentialUrl: () => Promise.resolve(url) } } as unknown as Services;
  const changes = async (seen: Partial<Configured>, bindBy = 'attachment', problem: string | null = null) => {
    const database = {
      addon,
      problem: problem && { type: 'DatabaseUrlForeign', seen: problem },
    } as unknown as TargetDatabase;
    const all = { database, vars: { FLAG_ROLE: '1' }, attachments: [], credential: undefined, ...seen };
    return varChanges(services, sampleTarget({ role: { bindBy } }), all as Configured);
  };
  const flag = { FLAG_ROLE: '1' };

  test.each<[string, Promise<{ vars: string[]; obstacles: string[] }>, string[]]>([
    ['bound by attachment', changes({}), ['+ APP_ROLE_DATABASE_URL (provided by the credential app_role)']],
    ['copied', changes({}, 'config-var'), ['+ APP_ROLE_DATABASE_URL (the URL of app_role)']],
    [
      'copied before the credential was made anew',
      changes({ vars: { ...flag, APP_ROLE_DATABASE_URL: 'stale' }, credential }, 'config-var'),
      ['~ APP_ROLE_DATABASE_URL (the URL of app_role)'],
    ],
    ['copied already', changes({ vars: { ...flag, APP_ROLE_DATABASE_URL: url }, credential }, 'config-var'), []],
    ['bound already', changes({ attachments: [attachment('APP_ROLE_DATABASE', addon, 'credential:app_role')] }), []],
    [
      'promoted over a variable that was set by hand',
      changes(
        { vars: { ...flag, DATABASE_URL: 'sqlite://', APP_ROLE_DATABASE_URL: url }, credential },
        'config-var',
        'x',
      ),
      ['- DATABASE_URL (set by hand)', '+ DATABASE_URL (provided by main-db)'],
    ],
    [
      'promoted with a pooler, where the old one is attached twice',
      changes(
        {
          vars: { ...flag, APP_ROLE_DATABASE_URL: url },
          credential,
          attachments: [
            attachment('DATABASE', old),
            attachment('AMBER', old),
            attachment('DATABASE_CONNECTION_POOL', old, 'p'),
          ],
        },
        'config-var',
        'x',
      ),
      ['~ DATABASE_URL (provided by main-db)', '~ DATABASE_CONNECTION_POOL_URL (provided by main-db)'],
    ],
  ])('%s', async (_, made, vars) => {
    expect(await made).toEqual({ vars, obstacles: [] });
  });

  test.each<[string, Partial<Configured>, RegExp]>([
    [
      'set by hand',
      { vars: { ...flag, APP_ROLE_DATABASE_URL: url } },
      /heroku config:unset APP_ROLE_DATABASE_URL -a an-app/,
    ],
    [
      'of another add-on',
      { attachments: [attachment('APP_ROLE_DATABASE', old)] },
      /heroku addons:detach APP_ROLE_DATABASE/,
    ],
  ])('a variable of the role that is %s is an obstacle', async (_, seen, remedy) => {
    expect(await changes(seen)).toEqual({ vars: [], obstacles: [expect.stringMatching(remedy)] });
  });
});
