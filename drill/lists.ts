import { sampleFacts, sampleRotation } from '../test/workflow/sample-evidence.ts';
import { sampleSummary } from '../test/workflow/sample-target.ts';
import type { RunInput } from '../workflows/input.ts';
import { itemsOf } from '../workflows/procedures.ts';
import type { GateItem, Item, StepItem } from '../workflows/sop.ts';
import { initialState, type RunState, type StepRecord } from '../workflows/state.ts';
import type { StepId } from '../workflows/steps.ts';
import { starts, type Drilled } from './starts.ts';

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
function unfolded(name: Drilled): RunState {
  const { type = 'productionCutover', input } = starts[name].asked;
  return {
    ...initialState({ app: 'sample-app', requestedBy: 'Rita', ...input } as RunInput, 0, type),
    target: { ...sampleSummary, hasPullRequest: true, hasFollowUps: true },
    steps: {
      'inspect-pull-request': seen({ revisionFiles: ['0003.py'] }),
      survey: seen({ facts }),
      'survey-rm-11': seen({ facts: sampleFacts }),
      'survey-rotation': seen(sampleRotation),
    },
  };
}

/** The steps that are taken again and again beside a gate. */
const sampleAt: Partial<Record<GateItem['id'], StepId>> = { launch: 'watch-sample', soak: 'soak-sample' };

/** The steps in which something is drilled, in their order, as its list in `workflows/procedures.ts` has them. */
export function stepsOf(name: Drilled): StepItem[] {
  const { phases } = starts[name];
  return listOf(name)
    .filter(({ phase }) => phases === undefined || phases.includes(phase))
    .flatMap((item): StepItem[] => {
      if (item.kind === 'step') return [item];
      const id = sampleAt[item.id];
      return id === undefined ? [] : [{ kind: 'step', id, phase: item.phase }];
    });
}

/** The gate beside which a step is taken again and again; undefined for one that has its own place in a list. */
export function gateOf(step: StepId): GateItem['id'] | undefined {
  return (Object.keys(sampleAt) as GateItem['id'][]).find((gate) => sampleAt[gate] === step);
}

/** The whole list of the procedure, gates included. */
export function listOf(name: Drilled): Item[] {
  return itemsOf(unfolded(name));
}
