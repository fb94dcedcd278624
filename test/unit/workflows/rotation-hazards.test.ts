import { expect, test } from '@jest/globals';
import { rotationHazards, type RotationFacts, type RotationPlan } from '../../../workflows/rotation-plan.ts';
import { sampleEvidence } from '../../workflow/sample-evidence.ts';

const sample = sampleEvidence['survey-rotation'];
const app = sample.facts.app;
const plan = (facts: Partial<RotationFacts>, releaseCommand: string | null = null): RotationPlan => ({
  ...sample,
  facts: { ...sample.facts, which: 'role', asRole: true, bindings: [], unreadable: [], ...facts },
  observations: { ...sample.observations, releaseCommand },
});
const own = { app, variable: 'OWN_URL', by: 'copy' } as const;

test.each([
  ['nothing that is lost', plan({ bindings: [{ ...own, by: 'attachment' }] }, 'alembic upgrade head'), []],
  ['a copy in another app', plan({ bindings: [{ ...own, app: 'other' }] }), [/OWN_URL of other is a copy that nobody/]],
  ['an app that cannot be read', plan({ unreadable: ['other'] }), [/variables of other cannot be read/]],
  ['an own copy, and no release command', plan({ bindings: [own] }), []],
  ['an own copy whose release runs a command', plan({ bindings: [own] }, 'do-it'), [/OWN_URL is set .* `do-it`/]],
  ['the owner while the app is the role', plan({ which: 'owner' }), []],
  ['the owner as which the app is connected', plan({ which: 'owner', asRole: false }), [/connected as the owner/]],
])('the hazards of %s', (_, of, expected) => {
  expect(rotationHazards(of)).toEqual(expected.map((text) => expect.stringMatching(text)));
});
