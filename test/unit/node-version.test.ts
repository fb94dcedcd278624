import { describe, expect, test } from '@jest/globals';
import { nodeProblem } from '../../scripts/node-version.mjs';

describe('the Node version', () => {
  test.each(['20.3.0', '20.3.1', '20.20.2', '22.0.0', '24.1.0'])('%s is new enough', (version) => {
    expect(nodeProblem(version)).toBeUndefined();
  });
  test.each(['20.2.9', '19.9.0', '18.20.4', '8.17.0'])('%s is too old, which the message says', (version) => {
    expect(nodeProblem(version)).toContain(`this is ${version}`);
  });
});
