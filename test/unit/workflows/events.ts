import { afterSoakSample, usualSoak } from '../../../workflows/soak-clock.ts';
import type { EventType, RunEvent } from '../../../workflows/transition.ts';
import { approved, failed, opened, read, started } from './walk.ts';

const failure = { type: 'PlatformRefused', message: 'no' };

/** One event of each type; a new type does not type-check without one. */
export const events: { readonly [T in EventType]: Extract<RunEvent, { type: T }> } = {
  targetRead: only(read, 'targetRead'),
  stepStarted: only(started('survey'), 'stepStarted'),
  stepDone: { type: 'stepDone', step: 'survey', did: 'observed', evidence: { facts: { seen: 1 } } },
  stepFailed: only(failed('survey'), 'stepFailed'),
  stepGivenUp: { type: 'stepGivenUp', step: 'survey', failure },
  gateOpened: only(opened('go'), 'gateOpened'),
  approved: only(approved('go'), 'approved'),
  approvedBeforehand: { type: 'approvedBeforehand', gate: 'rotate', field: 'rotation.approvedBeforehand' },
  decided: { type: 'decided', gate: 'go' },
  rejected: { type: 'rejected', gate: 'go', by: 'Bo', reason: 'not tonight' },
  gatePassed: { type: 'gatePassed', gate: 'go' },
  voided: { type: 'voided', gate: 'go', why: 'the approval has expired', surveys: ['survey', 'confirm'] },
  resolved: { type: 'resolved', step: 'survey', by: 'Ada', reason: 'mended', surveys: [] },
  killed: { type: 'killed', kind: 'kill-switch', by: 'Kim', reason: 'customers wait' },
  rollbackRefused: { type: 'rollbackRefused', failure: { type: 'CustomerRowsExist', message: 'orders has 1 row' } },
  rotationAsked: {
    type: 'rotationAsked',
    credential: 'owner',
    by: 'Ada',
    reason: 'it is May',
    gate: 'launch',
    surveys: ['survey-launch', 'confirm-launch'],
  },
  rotated: { type: 'rotated', credential: 'owner', by: 'Ada' },
  rotationDropped: { type: 'rotationDropped', by: 'Bo', reason: 'not tonight' },
  resumed: { type: 'resumed' },
  sampled: {
    type: 'sampled',
    watch: { since: 1, samples: 1, red: 0, lastAt: 1, healthy: true, problems: [], gapMs: 0 },
  },
  soaked: {
    type: 'soaked',
    soak: afterSoakSample(null, { healthy: true, problems: [] }, 1, usualSoak),
    news: 'soak: green again',
  },
  sealing: { type: 'sealing', by: 'Ada' },
  drifted: {
    type: 'drifted',
    step: 'survey',
    drift: [{ what: 'Set SETTING config vars', class: 'harmless', release: 8, by: 'dev@example.com', at: null }],
  },
  identified: { type: 'identified', message: 'approve', by: 'Ada', identity: 'cli@laptop', principal: null },
  reminded: { type: 'reminded', of: 'approval of the gate go' },
  messageRefused: { type: 'messageRefused', message: 'approve', by: null, why: 'no gate is open' },
  messageHandled: { type: 'messageHandled', id: 'm-1' },
  continued: { type: 'continued' },
  ended: { type: 'ended', outcome: { result: 'completed', reason: 'done', by: null } },
};
export const eventTypes = Object.keys(events) as EventType[];

function only<T extends EventType>(event: RunEvent, type: T): Extract<RunEvent, { type: T }> {
  if (event.type !== type) throw new Error(`expected the event ${type}, got ${event.type}`);
  return event as Extract<RunEvent, { type: T }>;
}
