import type { Preview } from '../workflows/preview.ts';
import { isUnderAnotherName, type TargetDatabase } from './attached-database.ts';
import type { Attachment, Credential } from './clients/heroku.ts';
import type { Services } from './services.ts';
import type { Target } from './target.ts';

/** What an app is configured by. */
export interface Configured {
  readonly database: TargetDatabase;
  readonly vars: Readonly<Record<string, string>>;
  readonly attachments: readonly Attachment[];
  readonly credential: Credential | undefined;
}

type Changes = Pick<Preview, 'vars' | 'obstacles'>;

/** The config vars that a cutover would set, change and unset, by name; values are compared here and go no further. */
export async function varChanges(services: Services, target: Target, seen: Configured): Promise<Changes> {
  const bound = await bindingChanges(services, target, seen);
  return {
    vars: [...promotionChanges(target, seen), ...bound.vars, ...flagChanges(target, seen)],
    obstacles: bound.obstacles,
  };
}

function promotionChanges({ database: { attachment: name } }: Target, seen: Configured): string[] {
  const { database, vars, attachments } = seen;
  if (database.problem === null) return [];
  const { addon } = database;
  const variable = `${name}_URL`;
  const old = attachments.find((one) => one.name === name);
  const provided = `provided by ${addon.name}`;
  const isKept = attachments.some((one) => one.addon.id === old?.addon.id && isUnderAnotherName(one, name));
  const pool = attachments.find((one) => one.name === `${name}_CONNECTION_POOL`);
  return [
    ...(old === undefined && variable in vars ? [`- ${variable} (set by hand)`] : []),
    `${old === undefined ? '+' : '~'} ${variable} (${provided})`,
    // The platform chooses the colour.
    ...(old !== undefined && old.addon.id !== addon.id && !isKept
      ? [`+ HEROKU_POSTGRESQL_<COLOUR>_URL (for ${old.addon.name}, the way back)`]
      : []),
    ...(pool !== undefined && pool.addon.id !== addon.id ? [`~ ${pool.name}_URL (${provided})`] : []),
  ];
}

async function bindingChanges({ heroku }: Services, { app, role }: Target, seen: Configured): Promise<Changes> {
  const { database, vars, attachments, credential } = seen;
  const variable = `${role.attachment}_URL`;
  const isSet = variable in vars;
  if (role.bindBy === 'config-var') {
    const url = credential === undefined ? '' : await heroku.readCredentialUrl(database.addon.name, role.credential);
    if (isSet && url !== '' && vars[variable] === url) return nothing;
    return { vars: [`${isSet ? '~' : '+'} ${variable} (the URL of ${role.credential})`], obstacles: [] };
  }
  const found = attachments.find((one) => one.name === role.attachment);
  if (found === undefined && !isSet) {
    return { vars: [`+ ${variable} (provided by the credential ${role.credential})`], obstacles: [] };
  }
  if (found?.addon.id === database.addon.id && found.namespace === `credential:${role.credential}`) return nothing;
  const obstacle =
    found === undefined
      ? `${variable} was set by hand: bind-url would stop. Unset it with \`heroku config:unset ${variable} -a ${app}\``
      : `the attachment ${role.attachment} is not ${database.addon.name}'s credential ${role.credential}: bind-url would stop. ` +
        `Detach it with \`heroku addons:detach ${role.attachment} -a ${app}\``;
  return { vars: [], obstacles: [obstacle] };
}

const nothing: Changes = { vars: [], obstacles: [] };

function flagChanges({ flag }: Target, { vars }: Configured): string[] {
  if (vars[flag.name] === flag.value) return [];
  return [`${flag.name in vars ? '~' : '+'} ${flag.name}`];
}
