import type { Scenario } from '../scenarios.ts';
import { certificateOf, raptorStaging } from '../soak.ts';
import { expectDid } from './expect.ts';

/** What comes before production. */
export const staging = {
  'staging-then-production': {
    summary: 'staging is cut over, the way back rehearsed, and soaked for seconds; production requires its certificate',
    soak: raptorStaging,
    target: { stagingCertificate: certificateOf(raptorStaging.herokuApp) },
    // What was soaked is what production is about to run.
    options: { merged: true },
    judge: (status) => {
      const soak = status.plans.go?.facts.stagingSoak;
      if (soak?.kind !== 'observed') return `the plan says of the soak: ${soak?.kind ?? 'nothing'}; expected observed`;
      if (soak.rollbackSeconds === null) return 'the certificate says of no rehearsal of the way back';
      return expectDid(status, { upgrade: 'acted', grants: 'acted', flag: 'acted', seal: 'acted' });
    },
  },
} as const satisfies Record<string, Scenario>;
