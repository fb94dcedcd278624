import type { RehearsedApp } from './apps.ts';
import type { AppOptions } from './deploy-app.ts';
import type { Serving } from './outside.ts';
import type { Acting, Intervention } from './people.ts';
import { decisions } from './scenarios/decisions.ts';
import { rotations } from './scenarios/rotation.ts';
import { staging } from './scenarios/staging.ts';
import { states } from './scenarios/states.ts';
import { waysBack } from './scenarios/ways-back.ts';
import type { Outcome } from '../workflows/state.ts';
import type { Status } from '../workflows/view.ts';

/** A state of production, or a course of events, that a cutover must be right in; and how it must end there. */
export interface Scenario {
  /** One line for people. */
  readonly summary: string;
  /** What the target file says otherwise, for this one. */
  readonly target?: Record<string, unknown>;
  /** How the app stands before the cutover. */
  readonly options: AppOptions;
  /** The app that is soaked first. */
  readonly soak?: RehearsedApp;
  /** What people do besides approving and merging, in this order. */
  readonly people?: readonly Intervention[];
  /** How the run must end; `completed` unless said. */
  readonly ends?: Outcome['result'];
  /** What an outsider must see in the end, the role unless said; null where it does not matter. */
  readonly serves?: Serving | null;
  /** What is wrong with the way the run went, or null. */
  readonly judge: (status: Status) => string | null;
  /** What is tried once the run is over, and what is wrong with how that went, or null. */
  readonly after?: (acting: Acting) => Promise<string | null>;
}

/** Plays a role in `npm start -- --scenario NAME`, and in the tests. */
export const scenarios = { ...states, ...decisions, ...waysBack, ...staging, ...rotations } as const satisfies Record<
  string,
  Scenario
>;

export type ScenarioName = keyof typeof scenarios;

/** What is wrong with the way a run ended, or null. */
export function judge(scenario: Scenario, status: Status): string | null {
  const { ends = 'completed' } = scenario;
  const result = status.outcome?.result ?? `still ${status.stage}`;
  return result === ends ? scenario.judge(status) : `the run is ${result}; expected ${ends}`;
}
