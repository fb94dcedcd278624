import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { killSwitchByHand, killSwitchSteps } from '../../scripts/docs/by-hand.ts';
import { onCallPage } from '../../scripts/docs/on-call.ts';
import { referencePage } from '../../scripts/docs/reference.ts';
import { createTargetStore } from '../../worker/targets.ts';
import { steps } from '../../workflows/steps.ts';

test('the page of the kill switch by hand is what the steps say: else run `npm run docs`', async () => {
  expect(await readFile('docs/on-call.md', 'utf8')).toBe(await onCallPage());
});

test('the reference is what the code takes: else run `npm run docs`', async () => {
  expect(await readFile('docs/reference.md', 'utf8')).toBe(await referencePage());
});

test('it has every step of the kill switch, in its order', async () => {
  const target = await createTargetStore('targets').read('raxx-api-prod');
  const text = killSwitchByHand({ target, rollback: target.rollback!, addon: 'an-addon' });
  const titles = [...text.matchAll(/^\*\*\d+\. (.*?)\.\*\*/gm)].map((match) => match[1]);
  expect(titles).toEqual(killSwitchSteps.map((id) => steps[id].title));
});
