import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import { attachedDatabase, type AttachedDatabase } from './attached-database.ts';
import type { Attachment, Transfer } from './clients/heroku.ts';
import { fail } from './fail.ts';
import { observe } from './perform.ts';
import { targetOf, type Services } from './services.ts';
import type { Target } from './target.ts';

/** Milliseconds by which what a person read and what the platform says may differ. */
const readingError = 60_000;

type BackupEvidence = Evidence<'check-backup'>;

/**
 * Proves what people gave as the backup, before a launch takes the way back away: a completed backup of this database
 * that is not older than what it is to protect, or the continuous protection that comes with the plan.
 */
export async function checkBackup(services: Services, call: StepCall): Promise<StepResult<BackupEvidence>> {
  const target = await targetOf(services, call);
  return observe(async () => {
    const database = await attachedDatabase(services, target);
    const { addon } = database;
    const of = { addon: addon.name, plan: addon.plan.name };
    const { backup } = call;
    if (backup === undefined) {
      throw notProven(target, 'neither a backup nor continuous protection was named');
    }
    // Every plan that is not refused as too small is protected continuously [docs].
    if ('continuousProtection' in backup) return { kind: 'continuous-protection', ...of, id: null, finishedAt: null };
    const transfer = await findBackup(services, target, database, backup.id);
    const problem = problemOf(transfer, backup, call.backupNotBefore ?? 0);
    if (problem !== null) throw notProven(target, problem);
    return { kind: 'backup', ...of, id: backup.id, finishedAt: transfer?.finished_at ?? null };
  });
}

async function findBackup(
  { heroku }: Services,
  { app }: Target,
  { addon }: AttachedDatabase,
  id: string,
): Promise<Transfer | undefined> {
  const [transfers, attachments] = await Promise.all([
    heroku.listTransfers(app),
    heroku.listAddonAttachments(addon.id),
  ]);
  const names = new Set(attachments.filter((one) => one.app.name === app).flatMap(shownNames));
  // Backups are made of an attachment, by whose name the platform calls the database they are of [source].
  return transfers.find((one) => backupName(one) === id && names.has(one.from_name ?? ''));
}

/** The platform leaves its own prefix out where it shows a name [source: fixtures of the official CLI]. */
function shownNames({ name }: Attachment): string[] {
  return [name, name.replace(/^HEROKU_POSTGRESQL_/, '')];
}

/** As `heroku pg:backups` calls it; undefined for restores and copies [source]. */
function backupName({ from_type: from, to_type: to, num, schedule, options }: Transfer): string | undefined {
  if (from !== 'pg_dump' || to === 'pg_restore') return undefined;
  if (options?.pgbackups_name != null) return `o${options.pgbackups_name}`;
  return `${schedule == null ? 'b' : 'a'}${String(num).padStart(3, '0')}`;
}

function problemOf(
  transfer: Transfer | undefined,
  claimed: { id: string; finishedAt: string },
  notBefore: number,
): string | null {
  const { id, finishedAt } = claimed;
  if (transfer === undefined) return `the platform has no backup ${id} of this database`;
  if (transfer.finished_at == null) return `${id} is still running`;
  if (transfer.succeeded !== true) return `${id} has failed`;
  const [began, finished] = [Date.parse(transfer.started_at ?? transfer.finished_at), Date.parse(transfer.finished_at)];
  if (!(Math.abs(finished - Date.parse(finishedAt)) <= readingError)) {
    return `${id} finished at ${transfer.finished_at}, and ${finishedAt} was named`;
  }
  if (began < notBefore) {
    return `${id} began at ${new Date(began).toISOString()}, before ${new Date(notBefore).toISOString()}: it lacks what came since`;
  }
  return null;
}

function notProven({ app }: Target, seen: string) {
  return fail(
    'BackupNotProven',
    `The backup of ${app} is not proven: ${seen}. Expected a completed backup that is newer than the cutover, or continuous protection. ` +
      `Make one with \`heroku pg:backups:capture -a ${app}\`, wait until \`heroku pg:backups -a ${app}\` shows it completed, and give its id and time again.`,
  );
}
