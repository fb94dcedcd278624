import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { projectFolder } from '../../rehearsal/cluster/compose.ts';
import { serverSettings } from '../../rehearsal/temporal.ts';

const read = (file: string): Promise<string> => readFile(path.join(projectFolder, file), 'utf8');

test('every server of Temporal that the project runs or documents has the same settings', async () => {
  const inCluster = parse(await read('cluster/dynamic-config.yaml')) as Record<string, { value: unknown }[]>;
  const values = Object.entries(inCluster).map(([name, rules]) => [name, rules.map(({ value }) => String(value))]);
  expect(Object.fromEntries(values)).toEqual(
    Object.fromEntries(Object.entries(serverSettings).map(([name, value]) => [name, [value]])),
  );
  const command = /^temporal server start-dev [^`]*/m.exec(await read('docs/production.md'))?.[0] ?? '';
  const typed = [...command.matchAll(/--dynamic-config-value (\S+)=(\S+)/g)].map(([, name, value]) => [name, value]);
  expect(Object.fromEntries(typed)).toEqual(serverSettings);
});
