import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { notFound, refused } from './api-error.ts';
import type { Route } from './api-server.ts';
import { attachmentsOf, findAddon, findApp, type Addon, type App, type Platform } from './state.ts';

/** A backup as the Data API lists it; restores and copies are listed with them, and nothing here makes any. */
export interface Transfer {
  readonly id: string;
  readonly num: number;
  /** The attachment that was backed up, without the platform's own prefix [source: the CLI's fixtures]. */
  readonly fromName: string;
  readonly createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
  succeeded: boolean | null;
}

/** How a backup ends; `running` does not. */
export type BackupEnd = 'completed' | 'failed' | 'running';

/**
 * Begins a backup of an add-on. Nothing is copied: what matters to a client is what is listed, and when.
 *
 * @param at when it began; now unless said
 */
export function capture(platform: Platform, app: App, addon: Addon, end: BackupEnd, at = new Date()): Transfer {
  const attachment = attachmentsOf(platform, app).find((one) => one.addon === addon && one.namespace === null);
  if (!attachment) throw refused(`${addon.name} is not attached to ${app.name}.`);
  const transfer: Transfer = {
    id: randomUUID(),
    num: app.transfers.length + 1,
    fromName: attachment.name.replace(/^HEROKU_POSTGRESQL_/, ''),
    createdAt: at,
    startedAt: at,
    finishedAt: null,
    succeeded: null,
  };
  app.transfers.push(transfer);
  if (end === 'running') return transfer;
  const finish = (): void => {
    transfer.finishedAt = new Date(at.getTime() + platform.settings.backupMs);
    transfer.succeeded = end === 'completed';
  };
  const left = at.getTime() + platform.settings.backupMs - Date.now();
  if (left <= 0) finish();
  else void sleep(left, undefined, { signal: platform.stopped }).then(finish, () => undefined);
  return transfer;
}

/** The calls of `pg:backups` and `pg:backups:capture` [source]. They come with Bearer [source]. */
export function transferRoutes(platform: Platform): Route[] {
  return [
    {
      method: 'GET',
      path: '/client/v11/apps/:app/transfers',
      auth: 'data',
      handle: ({ params }) => ({
        status: 200,
        body: findApp(platform, params.app as string).transfers.map(present),
      }),
    },
    {
      method: 'GET',
      path: '/client/v11/apps/:app/transfers/:num',
      auth: 'data',
      handle: ({ params }) => {
        const found = findApp(platform, params.app as string).transfers.find(({ num }) => String(num) === params.num);
        if (!found) throw notFound('transfer', "Couldn't find that backup.");
        return { status: 200, body: { ...present(found), logs: [] } };
      },
    },
    {
      method: 'POST',
      path: '/client/v11/databases/:addon/backups',
      auth: 'data',
      handle: ({ params }) => {
        const addon = findAddon(platform, params.addon as string);
        return { status: 201, body: present(capture(platform, addon.app, addon, 'completed')) };
      },
    },
  ];
}

function present({
  id,
  num,
  fromName,
  createdAt,
  startedAt,
  finishedAt,
  succeeded,
}: Transfer): Record<string, unknown> {
  // `pg_dump` to `gof3r`, the platform's own store, is what the CLI lists as a backup [source].
  return {
    uuid: id,
    num,
    from_name: fromName,
    from_type: 'pg_dump',
    to_name: 'BACKUP',
    to_type: 'gof3r',
    created_at: createdAt.toISOString(),
    started_at: startedAt?.toISOString() ?? null,
    finished_at: finishedAt?.toISOString() ?? null,
    updated_at: (finishedAt ?? createdAt).toISOString(),
    canceled_at: null,
    succeeded,
    warnings: 0,
    processed_bytes: finishedAt === null ? 1_024 : 40_960,
    source_bytes: 81_920,
    options: {},
    schedule: null,
  };
}
