import { describe, expect, test } from '@jest/globals';
import { evidenceText } from '../../../workflows/evidence-text.ts';
import { stepIds } from '../../../workflows/steps.ts';
import { sampleEvidence } from '../../workflow/sample-evidence.ts';

describe.each(stepIds)('%s', (id) => {
  test('is told in a short line', () => {
    const text = evidenceText(id, sampleEvidence[id]);
    expect(text).toMatch(/^\S.{2,199}$/);
    expect(text).not.toMatch(/undefined|null|\[object|NaN/);
  });

  test('is not told where the evidence is of another build, or none', () => {
    expect([{}, null, undefined, 'text'].map((evidence) => evidenceText(id, evidence))).toEqual([
      null,
      null,
      null,
      null,
    ]);
  });
});

test('digests are short, and the names are those of the evidence', () => {
  expect(evidenceText('survey', sampleEvidence.survey)).toBe('plan a1a1a1a1a1a1');
  expect(evidenceText('upgrade', { from: null, to: '0002', applied: ['0002'], dyno: null })).toBe(
    'at 0002, 1 revision applied',
  );
  expect(evidenceText('verify-sessions', { role: 2, owner: 0, encrypted: 2 })).toBe(
    '2 sessions of the role, 2 encrypted; 0 of the owner',
  );
});

test('what is no step has none', () => {
  expect(evidenceText('go', {})).toBeNull();
  expect(evidenceText('toString', {})).toBeNull();
});
