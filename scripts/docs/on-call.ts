import { readFile } from 'node:fs/promises';
import { createTargetStore } from '../../worker/targets.ts';
import { killSwitchByHand } from './by-hand.ts';

export const onCallFile = 'docs/on-call.md';
/** The app whose names the page uses. */
const app = 'raxx-api-prod';
const begin = '<!-- by hand: written by `npm run docs` -->';
const end = '<!-- by hand: end -->';

/** The page with its generated part as the code has it now. */
export async function onCallPage(): Promise<string> {
  const target = await createTargetStore('targets').read(app);
  const { rollback, database } = target;
  if (rollback === undefined || database.addon === undefined) throw new Error(`${app} has no way back to write of`);
  const text = await readFile(onCallFile, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${onCallFile} has no place for what is generated: ${begin} … ${end}`);
  const generated = killSwitchByHand({ target, rollback, addon: database.addon });
  return `${text.slice(0, from)}${begin}\n\n${generated}\n\n${text.slice(to)}`;
}
