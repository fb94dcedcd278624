import type { Target } from './target.ts';

/**
 * Why the app's release command would stop the kill switch, or null. Each release runs that command first, with the
 * variables that are to be: one that runs PostgreSQL's statements against SQLite fails, the release is not deployed, and
 * the old one serves on although the change was answered with 200 [docs].
 *
 * @param releaseCommand as the Procfile has it; null where it has none
 */
export function releaseCommandBlocksKillSwitch(
  { migrations, rollback }: Target,
  releaseCommand: string | null,
): string | null {
  if (releaseCommand === null) return null;
  if (rollback?.releaseCommandsSafeOnSqlite.includes(releaseCommand) === true) return null;
  return releaseCommand.includes(migrations.upgrade)
    ? `every release runs the migrations (\`${releaseCommand}\`), on SQLite too, where they may fail: the app would stay on PostgreSQL`
    : `every release runs \`${releaseCommand}\`, which the target file does not name as safe on SQLite (rollback.releaseCommandsSafeOnSqlite)`;
}
