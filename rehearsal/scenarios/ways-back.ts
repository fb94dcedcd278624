import { WorkflowFailedError } from '@temporalio/client';
import { createPostgresClient, statement } from '../../activities/clients/postgres.ts';
import type { Acting } from '../people.ts';
import type { Scenario } from '../scenarios.ts';
import { expectDid, expectEvents, isAt, isParked } from './expect.ts';
import { person } from './heroku-person.ts';
import { message, pullKillSwitch, resolve } from './messages.ts';

/** A customer signs up: from then on SQLite would lose something. */
async function signUp({ platform, app }: Acting): Promise<void> {
  const url = (await person(platform).getConfigVars(app.herokuApp))['DATABASE_URL'] ?? '';
  await createPostgresClient({}).connected(url, (connection) =>
    connection.query(statement("INSERT INTO customers (email) VALUES ('first@customer.example')")),
  );
}

/** Starts another run, for the kill switch, and tells why it was refused; null where it was not. */
async function refusalOfKillSwitch({ handle, status }: Acting): Promise<string | null> {
  const again = await handle.client.start('productionCutover', {
    taskQueue: (await handle.describe()).taskQueue,
    workflowId: handle.workflowId,
    args: [{ app: status.app, requestedBy: status.mayRollBack[0], mode: 'kill-switch', reason: 'too late' }],
  });
  try {
    await again.result();
    return null;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    return (error.cause as { type?: string } | undefined)?.type ?? 'unknown';
  }
}

/** The ways back, and the point behind which there is none. */
export const waysBack = {
  'kill-switch': {
    summary: 'during the watch somebody on call pulls the kill switch: back to SQLite',
    options: {},
    people: [{ told: 'the kill switch is pulled', when: isAt('launch'), act: pullKillSwitch }],
    ends: 'rolled-back',
    serves: 'sqlite',
    judge: (status) => expectDid(status, { fence: 'acted', 'to-sqlite': 'acted', 'lift-fence': 'acted' }),
  },
  'customer-rows': {
    summary: 'a customer has signed up before the kill switch is pulled: it is refused, and nothing is lost',
    options: {},
    people: [
      {
        told: 'a customer signs up, and the kill switch is pulled',
        when: isAt('launch'),
        act: async (acting) => {
          await signUp(acting);
          await pullKillSwitch(acting);
        },
      },
    ],
    judge: (status) => expectEvents(status, ['rollbackRefused', 'resumed']),
  },
  'undo-rm-11': {
    summary: 'RM-11 alone is undone: the app goes on, on PostgreSQL, as the owner',
    options: {},
    people: [
      {
        told: 'the launch is rejected',
        when: isAt('launch'),
        act: message('reject', ({ message: asked, from }) => ({
          gate: 'launch',
          plan: asked['plan'],
          by: from[0],
          reason: 'the role lacks a privilege',
        })),
      },
      { told: 'and RM-11 is undone', when: isParked('launch'), act: resolve('undo-rm-11') },
    ],
    ends: 'undone',
    serves: 'owner',
    judge: (status) => expectDid(status, { 'flag-off': 'acted', 'revoke-grants': 'acted', 'drop-credential': 'acted' }),
  },
  launched: {
    summary: 'after the launch every rollback is refused, of a later run too',
    options: {},
    judge: (status) => expectDid(status, { seal: 'acted', 'open-follow-ups': 'acted' }),
    after: async (acting) => {
      const refusal = await refusalOfKillSwitch(acting);
      return refusal === 'Sealed'
        ? null
        : `a kill switch after the launch ended with ${refusal ?? 'success'}; expected Sealed`;
    },
  },
} as const satisfies Record<string, Scenario>;
