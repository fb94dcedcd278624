import type { Sender } from '../workflows/messages.ts';
import type { Notice } from '../workflows/notice.ts';
import type { StepCall } from '../workflows/steps.ts';
import { checkBackup } from './backup.ts';
import { canonicalDigest } from './canonical-json.ts';
import { bindUrl } from './bind-url.ts';
import { certifySoak } from './certify-soak.ts';
import { checkConfig } from './config-check.ts';
import { identifySender } from './identify-sender.ts';
import { readWindow, type WindowQuestion } from './read-window.ts';
import { createCredential, destroyCredential } from './credential.ts';
import { countCustomerRows } from './customer-rows.ts';
import { liftFence, raiseFence } from './fence.ts';
import { setFlag, unsetFlag } from './flag.ts';
import { openFollowUps } from './follow-ups.ts';
import { applyGrants } from './grants.ts';
import { promoteDatabase } from './promote.ts';
import { awaitPullRequest, inspectPullRequest } from './pull-request.ts';
import { restartDynos } from './restart.ts';
import { revokeGrants } from './revoke-grants.ts';
import { verifySchema } from './schema.ts';
import { readSeal, sealDatabase } from './seal.ts';
import type { Services } from './services.ts';
import { verifyOwnerSessions, verifySessions } from './sessions.ts';
import { settleDynos } from './settle-dynos.ts';
import { runSmoke } from './smoke.ts';
import { confirmPlan, surveyTarget } from './survey.ts';
import { sampleSoak } from './soak-sample.ts';
import { surveyWayBack } from './survey-way-back.ts';
import { rotateCredential } from './rotate-credential.ts';
import { verifyRotated } from './rotated-sessions.ts';
import { confirmRotation, surveyRotation } from './rotation-survey.ts';
import { readTarget } from './read-target.ts';
import { pointToSqlite } from './to-sqlite.ts';
import { tellPeople } from './tell-people.ts';
import { unbindUrl } from './unbind-url.ts';
import { upgradeSchema } from './upgrade.ts';
import { verifyServing, verifySqlite } from './verify-sqlite.ts';
import { sampleWatch } from './watch.ts';
import { writeRecord } from './write-record.ts';

/** The activities, with their clients closed over. Their names stand in histories and stay. */
export function createActivities(services: Services) {
  return {
    readTarget: (app: string) => readTarget(services, app),
    readWindow: (question: WindowQuestion) => readWindow(services, question),
    digestOf: (value: unknown) => Promise.resolve(canonicalDigest(value)),
    identifySender: (sender: Sender) => identifySender(sender),
    tellPeople: (notice: Notice) => tellPeople(services, notice),
    checkConfig: (call: StepCall) => checkConfig(services, call),
    inspectPullRequest: (call: StepCall) => inspectPullRequest(services, call),
    awaitPullRequest: (call: StepCall) => awaitPullRequest(services, call),
    surveyTarget: (call: StepCall) => surveyTarget(services, call),
    confirmPlan: (call: StepCall) => confirmPlan(services, call),
    promoteDatabase: (call: StepCall) => promoteDatabase(services, call),
    upgradeSchema: (call: StepCall) => upgradeSchema(services, call),
    verifySchema: (call: StepCall) => verifySchema(services, call),
    restartDynos: (call: StepCall) => restartDynos(services, call),
    runSmoke: (call: StepCall) => runSmoke(services, call),
    createCredential: (call: StepCall) => createCredential(services, call),
    bindUrl: (call: StepCall) => bindUrl(services, call),
    applyGrants: (call: StepCall) => applyGrants(services, call),
    setFlag: (call: StepCall) => setFlag(services, call),
    verifySessions: (call: StepCall) => verifySessions(services, call),
    readSeal: (call: StepCall) => readSeal(services, call),
    surveyWayBack: (call: StepCall) => surveyWayBack(services, call),
    settleDynos: (call: StepCall) => settleDynos(services, call),
    countCustomerRows: (call: StepCall) => countCustomerRows(services, call),
    raiseFence: (call: StepCall) => raiseFence(services, call),
    pointToSqlite: (call: StepCall) => pointToSqlite(services, call),
    verifySqlite: (call: StepCall) => verifySqlite(services, call),
    liftFence: (call: StepCall) => liftFence(services, call),
    verifyServing: (call: StepCall) => verifyServing(services, call),
    unsetFlag: (call: StepCall) => unsetFlag(services, call),
    verifyOwnerSessions: (call: StepCall) => verifyOwnerSessions(services, call),
    revokeGrants: (call: StepCall) => revokeGrants(services, call),
    unbindUrl: (call: StepCall) => unbindUrl(services, call),
    destroyCredential: (call: StepCall) => destroyCredential(services, call),
    sampleWatch: (call: StepCall) => sampleWatch(services, call),
    sampleSoak: (call: StepCall) => sampleSoak(services, call),
    certifySoak: (call: StepCall) => certifySoak(services, call),
    checkBackup: (call: StepCall) => checkBackup(services, call),
    sealDatabase: (call: StepCall) => sealDatabase(services, call),
    openFollowUps: (call: StepCall) => openFollowUps(services, call),
    surveyRotation: (call: StepCall) => surveyRotation(services, call),
    confirmRotation: (call: StepCall) => confirmRotation(services, call),
    rotateCredential: (call: StepCall) => rotateCredential(services, call),
    verifyRotated: (call: StepCall) => verifyRotated(services, call),
    writeRecord: () => writeRecord(services),
  };
}

export type Activities = ReturnType<typeof createActivities>;
