import type { TargetSummary } from '../workflows/state.ts';
import type { Services } from './services.ts';
import { soakRulesOf } from './soak-rules.ts';

/** What the workflow may know of the target file. It makes no request and changes nothing. */
export async function readTarget({ targets, people, isSearchable }: Services, app: string): Promise<TargetSummary> {
  const target = await targets.read(app);
  const { digest, approvals, followUps, rollback, watch, windows, freezes, pullRequest, historyEventLimit, rotation } =
    target;
  return {
    digest,
    policy: approvals,
    hasFollowUps: followUps !== undefined,
    hasRollback: rollback !== undefined,
    sampleEveryMs: watch.every,
    hasWindows: windows.length + freezes.length > 0,
    hasPullRequest: pullRequest !== undefined,
    pullRequest: pullRequest ? `${pullRequest.repository}#${pullRequest.number}` : null,
    historyEventLimit,
    soak: soakRulesOf(target),
    ...(people === undefined ? {} : { tellsPeople: true }),
    ...(rotation.approvedBeforehand ? { rotatesUnasked: true } : {}),
    ...(isSearchable === true ? { isSearchable } : {}),
  };
}
