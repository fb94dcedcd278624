import type { Sender } from '../workflows/messages.ts';
import type { StepCall } from '../workflows/steps.ts';
import { bindUrl } from './bind-url.ts';
import { checkConfig } from './config-check.ts';
import { createCredential } from './credential.ts';
import { identifySender } from './identify-sender.ts';
import { readWindow, type WindowQuestion } from './read-window.ts';
import { setFlag } from './flag.ts';
import { applyGrants } from './grants.ts';
import { promoteDatabase } from './promote.ts';
import { awaitPullRequest, inspectPullRequest } from './pull-request.ts';
import { restartDynos } from './restart.ts';
import { verifySchema } from './schema.ts';
import type { Services } from './services.ts';
import { verifySessions } from './sessions.ts';
import { runSmoke } from './smoke.ts';
import { confirmPlan, surveyTarget } from './survey.ts';
import { readTarget } from './read-target.ts';
import { upgradeSchema } from './upgrade.ts';

/** The activities, with their clients closed over. Their names stand in histories and stay. */
export function createActivities(services: Services) {
  return {
    readTarget: (app: string) => readTarget(services, app),
    readWindow: (question: WindowQuestion) => readWindow(services, question),
    identifySender: (sender: Sender) => identifySender(sender),
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
  };
}

export type Activities = ReturnType<typeof createActivities>;
