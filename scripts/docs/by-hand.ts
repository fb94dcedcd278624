import type { Rollback, Target } from '../../activities/target.ts';
import { stepIdsOf } from '../../workflows/sop.ts';
import { steps, type StepId } from '../../workflows/steps.ts';
import { asPlanned, killSwitch } from '../../workflows/way-back.ts';

/** What the page is written from: a target that has a way back, and its add-on by name. */
export interface WithWayBack {
  readonly target: Target;
  readonly rollback: Rollback;
  readonly addon: string;
}

/** What a person does instead of one step of the kill switch. */
interface ByHand {
  /** Markdown around the commands. */
  readonly say: string;
  readonly commands: readonly string[];
}

/** The steps of the kill switch, in their order. */
export const killSwitchSteps = stepIdsOf(killSwitch(asPlanned));

const quoted = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ');

/** Counts every table but the reference tables, as the step does: also tables that the target file does not know. */
function countCommand({ target, rollback, addon }: WithWayBack): string {
  const { schema, versionTable, versionTableSchema = schema } = target.migrations;
  const ignored = [...(versionTableSchema === schema ? [versionTable] : []), ...rollback.referenceTables];
  const rows = `(xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %I.%I', table_schema, table_name), false, true, '')))[1]::text::bigint`;
  const where = `table_schema = '${schema}' AND table_type = 'BASE TABLE' AND table_name NOT IN (${quoted(ignored)})`;
  const counts = `SELECT table_name, ${rows} AS rows FROM information_schema.tables WHERE ${where}`;
  return `heroku pg:psql ${addon} -a ${target.app} -c "SELECT * FROM (${counts}) AS counted WHERE rows > 0"`;
}

function revokeCommand({ target, addon }: WithWayBack): string {
  const { schema, versionTableSchema = schema } = target.migrations;
  const role = target.role.credential;
  const kinds = ['TABLES', 'SEQUENCES', 'ROUTINES'];
  const statements = [...new Set([schema, versionTableSchema])].flatMap((name) => [
    ...kinds.map((kind) => `REVOKE ALL ON ALL ${kind} IN SCHEMA ${name} FROM ${role}`),
    `REVOKE ALL ON SCHEMA ${name} FROM ${role}`,
    ...kinds.map((kind) => `ALTER DEFAULT PRIVILEGES IN SCHEMA ${name} REVOKE ALL ON ${kind} FROM ${role}`),
  ]);
  return `heroku pg:psql ${addon} -a ${target.app} -c "${statements.join('; ')}"`;
}

/** What is typed instead of each step. A step that is added to the kill switch and not here is told by a test. */
const byHand: Partial<Record<StepId, (names: WithWayBack) => ByHand>> = {
  'read-seal': ({ target, addon }) => ({
    say: '**If this prints `cutover.seal`, stop**: the database is launched, and there is no way back.',
    commands: [`heroku pg:psql ${addon} -a ${target.app} -c "SELECT to_regclass('cutover.seal')"`],
  }),
  'survey-way-back': ({ target: { app } }) => ({
    say: 'Write down the numbers of the processes, the attachments of the add-on, and whether maintenance is on already.',
    commands: [`heroku ps:scale -a ${app}`, `heroku addons -a ${app}`, `heroku maintenance -a ${app}`],
  }),
  'count-rows': (names) => ({
    say: '**If this prints a table, stop**: on SQLite those rows would be missing. Mend forward on PostgreSQL.',
    commands: [countCommand(names)],
  }),
  'settle-dynos': ({ target: { app } }) => ({
    say: `Stop those whose command begins with \`: cutover/\`, each with \`heroku ps:stop <dyno> -a ${app}\`.`,
    commands: [`heroku ps -a ${app}`],
  }),
  fence: ({ target: { app } }) => ({
    say: `And for every process type but \`web\` that has dynos: \`heroku ps:scale <type>=0 -a ${app}\`.`,
    commands: [`heroku maintenance:on -a ${app}`],
  }),
  'count-rows-fenced': (names) => ({
    say: '**If this prints a table now, lift the fence (below) and stop.** The app goes on as it is.',
    commands: [countCommand(names)],
  }),
  'to-sqlite': ({ target, rollback, addon }) => ({
    say:
      `While ${target.database.attachment} is attached its variable cannot be set, and the last attachment of an add-on cannot be detached: so the ` +
      'add-on gets another one first (leave that out if it has one). See in `heroku releases` that each has succeeded.',
    commands: [
      `heroku addons:attach ${addon} -a ${target.app}`,
      `heroku addons:detach ${target.database.attachment} -a ${target.app}`,
      `heroku config:unset ${target.flag.name} -a ${target.app}`,
      `heroku config:set ${target.database.attachment}_URL="${rollback.sqliteUrl}" -a ${target.app} >/dev/null`,
      `heroku releases -n 5 -a ${target.app}`,
    ],
  }),
  'verify-sqlite': ({ target: { app }, rollback }) => ({
    say: 'It must end with 0. Until it does, nobody is let in.',
    commands: [`heroku run --exit-code -a ${app} -- ${rollback.verify}`],
  }),
  'lift-fence': ({ target: { app } }) => ({
    say: `The numbers first (\`heroku ps:scale <type>=<n> -a ${app}\`), as they were written down; then let people in.`,
    commands: [`heroku maintenance:off -a ${app}`],
  }),
  'verify-serving': ({ target: { app }, rollback }) => ({
    say: 'Users are served from here on; what follows can wait for the morning.',
    commands: rollback.checks.map(
      ({ path }) => `curl -fsS "$(heroku apps:info -s -a ${app} | sed -n 's|^web_url=\\(.*[^/]\\)/*$|\\1|p')${path}"`,
    ),
  }),
  'revoke-grants': (names) => ({ say: '', commands: [revokeCommand(names)] }),
  'unbind-url': ({ target: { app, role } }) => ({
    say: `Where ${role.attachment} is a config var and no attachment: \`heroku config:unset ${role.attachment}_URL -a ${app}\`.`,
    commands: [`heroku addons:detach ${role.attachment} -a ${app}`],
  }),
  'drop-credential': ({ target: { app, role }, addon }) => ({
    say: 'A credential that is attached to an app still is not destroyed.',
    commands: [`heroku pg:credentials:destroy ${addon} --name ${role.credential} -a ${app} --confirm ${app}`],
  }),
  'restart-unbound': ({ target: { app } }) => ({
    say: 'The change has restarted the dynos: all must be up, and none older than it.',
    commands: [`heroku ps -a ${app}`],
  }),
};

/**
 * The kill switch with the official Heroku CLI alone, step by step, as Markdown.
 *
 * @throws Error where a step of the kill switch is not written here
 */
export function killSwitchByHand(names: WithWayBack): string {
  return killSwitchSteps
    .map((id, index) => {
      const entry = byHand[id]?.(names);
      if (entry === undefined) throw new Error(`${id} has no line in the page of the kill switch by hand`);
      const { say, commands } = entry;
      const heading = `**${index + 1}. ${steps[id].title}.**${say === '' ? '' : ` ${say}`}`;
      return [heading, '', '```sh', ...commands, '```'].join('\n');
    })
    .join('\n\n');
}
