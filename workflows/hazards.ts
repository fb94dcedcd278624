import type { Plan } from './facts.ts';

/** From this share of its connections on, a database may have too few for old and new dynos side by side. */
const crowdedFrom = 0.75;

/** What whoever approves a plan should have read, a sentence each. Pure: it follows from the plan. */
export function hazards({ facts, observations, preview }: Plan): string[] {
  const { database, migrations, pullRequest, role } = facts;
  const { connections, killSwitch, maintenance } = observations;
  // The version table has one row.
  const rows = observations.rows - (migrations.current === null ? 0 : 1);
  return [
    ...told(facts.killSwitchBlocked, (why) => `the kill switch is blocked: ${why}`),
    ...when(
      facts.killSwitchBlocked === null && killSwitch == null,
      'no rehearsal of the kill switch is noted in the target file (rollback.rehearsed)',
    ),
    ...when(rows > 0, `the database holds about ${rows} rows: the kill switch is refused where they are customers'`),
    ...when(
      connections.used >= connections.limit * crowdedFrom,
      `${connections.used} of ${connections.limit} connections are in use, and a restart needs some for old and new dynos`,
    ),
    ...told(facts.releaseCommand, (command) => `every release, a config change too, runs \`${command}\``),
    ...when(
      migrations.namingRole.length > 0,
      `${migrations.namingRole.join(', ')} names the role ${role.credential}, which is therefore made before the upgrade`,
    ),
    ...when(
      database.sharedWith.length > 0,
      `the database is shared with ${database.sharedWith.join(', ')}: revisions and privileges are theirs too`,
    ),
    ...told(database.promote, (why) => `the app is moved to another database first: ${why}`),
    ...when(
      pullRequest !== null && !pullRequest.merged && pullRequest.revisionFiles.length > 0,
      `pull request #${pullRequest?.number} adds a revision and is not merged: a cutover waits for it and plans anew, with another digest`,
    ),
    ...when(maintenance, 'the app is in maintenance mode'),
    ...told(preview?.noSql ?? null, () => 'the SQL of the revisions is not known beforehand: read their files'),
    ...(preview?.obstacles ?? []),
  ];
}

function told(text: string | null, say: (text: string) => string): string[] {
  return text === null ? [] : [say(text)];
}

function when(condition: boolean, text: string): string[] {
  return condition ? [text] : [];
}
