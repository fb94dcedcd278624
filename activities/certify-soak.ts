import { activityInfo } from '@temporalio/activity';
import { certificate as certificateSchema, type Certificate } from '../workflows/certificate.ts';
import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import { fail } from './fail.ts';
import { observe } from './perform.ts';
import { pageOfRun } from './run-page.ts';
import { targetOf, type Services } from './services.ts';

/**
 * Writes the certificate of a soak. What stands in it is the run's to say and the same in every attempt, so that writing
 * it twice is writing it once.
 *
 * @throws ApplicationFailure `CertificateNotWritten`
 */
export async function certifySoak(services: Services, call: StepCall): Promise<StepResult<Evidence<'certify'>>> {
  const target = await targetOf(services, call);
  return observe(async () => {
    const certificate = certificateOf(services, target.digest, call);
    try {
      const issued = await services.certificates?.issue(certificate);
      return { certificate, file: issued?.file ?? null, signature: issued?.signature ?? null };
    } catch (error) {
      throw fail(
        'CertificateNotWritten',
        `The certificate of ${call.app} was not written: ${error instanceof Error ? error.message : String(error)}. ` +
          "See the worker's CUTOVER_CERTIFICATES_DIR and CUTOVER_SIGNING_KEY; it is tried again.",
        error,
      );
    }
  });
}

function certificateOf({ people }: Services, targetDigest: string, call: StepCall): Certificate {
  const { workflowExecution } = activityInfo();
  return certificateSchema.parse({
    format: 'cutover-certificate/1',
    app: call.app,
    targetDigest,
    issuedAt: new Date(call.since).toISOString(),
    run: {
      workflowId: workflowExecution?.workflowId ?? `cutover-${call.app}`,
      runId: call.run,
      link: pageOfRun(people?.webUi ?? null, true),
    },
    ...call.certificate,
  });
}
