import type { Status } from './view.ts';

/** By what runs are found and told apart in a list: search attributes of the type Keyword, where the namespace has them. */
export const searchNames = ['CutoverTarget', 'CutoverPhase', 'CutoverWaitingFor'] as const;
export type SearchValues = Readonly<Record<(typeof searchNames)[number], string>>;

/** What a run is found by. Payload encryption does not reach these, so that only ids of the runbook's own stand there. */
export function searchValues({ app, phase, stage, waitingFor }: Status): SearchValues {
  const { message } = waitingFor ?? {};
  const about = message?.['step'] ?? message?.['gate'];
  return {
    CutoverTarget: app,
    CutoverPhase: stage === 'ended' ? 'end' : (phase ?? 'end'),
    CutoverWaitingFor:
      waitingFor === null ? 'nothing' : [waitingFor.signal, about].filter((part) => part !== undefined).join(' '),
  };
}
