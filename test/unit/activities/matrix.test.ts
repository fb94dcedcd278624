import { describe, expect, test } from '@jest/globals';
import { readMatrix } from '../../../activities/matrix.ts';
import { currentScope } from '../../../activities/scope.ts';
import { beginActivity } from './in-activity.ts';

describe('a matrix', () => {
  test('is its statements, without comments and line ends', () => {
    const { statements } = readMatrix(
      'an-app',
      `-- who may do what; and so on
       GRANT SELECT, INSERT -- rows
         ON orders TO app_role;
       revoke all on version_table from app_role ; ;
       ALTER  DEFAULT
         PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO app_role`,
    );
    expect(statements).toEqual([
      'GRANT SELECT, INSERT ON orders TO app_role',
      'revoke all on version_table from app_role',
      'ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO app_role',
    ]);
  });

  test('has the digest of its text', () => {
    const one = readMatrix('an-app', 'GRANT SELECT ON orders TO app_role;');
    expect(one.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(readMatrix('an-app', 'GRANT SELECT ON orders TO app_role; ').digest).not.toBe(one.digest);
  });
});

describe('refused', () => {
  test.each<[string, string, RegExp]>([
    ['another statement', 'GRANT SELECT ON a TO b; DROP TABLE a;', /holds `DROP TABLE a`/],
    ['another statement first', 'SET ROLE other; GRANT SELECT ON a TO b', /holds `SET ROLE other`/],
    ['another ALTER', 'ALTER TABLE a OWNER TO b', /holds `ALTER TABLE/],
    ['a word that only begins so', 'GRANTED', /holds `GRANTED`/],
    ['a statement behind a comment', '-- nothing\nDELETE FROM a', /holds `DELETE FROM a`/],
    ['a block comment', 'GRANT SELECT /* ; DROP TABLE a; */ ON a TO b', /holds \/\*/],
    ['a string', "GRANT SELECT ON a TO b; DO 'x'", /holds '/],
    ['a quoted name', 'GRANT SELECT ON "a;b" TO c', /holds "/],
    ['a dollar quote', 'DO $$ BEGIN END $$', /holds \$/],
    ['nothing', ' \n ', /holds no statement/],
    ['comments only', '-- GRANT SELECT ON a TO b;', /holds no statement/],
  ])('%s', (_, text, message) => {
    const act = () => readMatrix('an-app', text);
    expect(act).toThrow(
      expect.objectContaining({
        type: 'GrantMatrixInvalid',
        nonRetryable: true,
        message: expect.stringMatching(message),
      }),
    );
    expect(act).toThrow(/Correct the file/);
  });

  test('without the half of a secret that is cut', async () => {
    const secret = `${'s3cr3t'.repeat(8)}`;
    const failure: unknown = await beginActivity(() => {
      currentScope().secrets.add(secret);
      return Promise.resolve(readMatrix('an-app', `CREATE ROLE ${'a'.repeat(40)} PASSWORD ${secret}`));
    }).result.catch((error: unknown) => error);
    expect((failure as Error).message).toContain('PASSWORD [redacted]');
    expect((failure as Error).message).not.toContain('s3cr3t');
  });

  test('in few words, however long the statement is', () => {
    expect(() => readMatrix('an-app', `DROP TABLE ${'a'.repeat(10_000)}`)).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^.{0,300}$/) }),
    );
  });
});
