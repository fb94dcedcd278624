import { sampleFacts } from '../test/workflow/sample-evidence.ts';
import { sampleSummary } from '../test/workflow/sample-target.ts';
import { itemsOf } from '../workflows/procedures.ts';
import type { Item, StepItem } from '../workflows/sop.ts';
import { initialState, type RunState, type StepRecord } from '../workflows/state.ts';
import type { Drilled } from './case.ts';

const seen = (evidence: unknown): StepRecord => ({
  attempt: 1,
  startedAt: 0,
  finishedAt: 0,
  did: 'observed',
  evidence,
  failure: null,
  givenUp: false,
});

/** Facts with which no step of the cutover is left out: `starts.ts` puts apps into just this state. */
const facts = {
  ...sampleFacts,
  database: { ...sampleFacts.database, promote: 'it is on another add-on' },
  migrations: { ...sampleFacts.migrations, namingRole: ['0003'] },
};

/** A run that knows all that its list unfolds from. */
function unfolded(procedure: Drilled): RunState {
  const input = { app: 'sample-app', requestedBy: 'Rita', reason: 'a drill', mode: procedure };
  return {
    ...initialState(input, 0),
    target: { ...sampleSummary, hasPullRequest: true, hasFollowUps: true },
    steps: {
      'inspect-pull-request': seen({ revisionFiles: ['0003.py'] }),
      survey: seen({ facts }),
      'survey-rm-11': seen({ facts: sampleFacts }),
    },
  };
}

/** The steps of a procedure in their order, as its list in `workflows/procedures.ts` has them. */
export function stepsOf(procedure: Drilled): StepItem[] {
  return listOf(procedure).filter((item): item is StepItem => item.kind === 'step');
}

/** The whole list of a procedure, gates included. */
export function listOf(procedure: Drilled): Item[] {
  return itemsOf(unfolded(procedure));
}
