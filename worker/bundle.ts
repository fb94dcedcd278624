import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type BundleOptions, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { encodingFailureConverter } from './guard.ts';

const inWorkflows = (file: string): string => fileURLToPath(new URL(`../workflows/${file}`, import.meta.url));

/**
 * The workflow code in one file, as a worker runs it. Building takes seconds: once for many workers is enough.
 *
 * @param encrypts whether the worker has keys: failures are then written so that they can be encrypted
 */
export function buildWorkflowBundle(
  logger?: BundleOptions['logger'],
  encrypts = false,
): Promise<WorkflowBundleWithSourceMap> {
  return bundleWorkflowCode({
    workflowsPath: inWorkflows('index.ts'),
    payloadConverterPath: inWorkflows('payload-converter.ts'),
    ...(encrypts ? { failureConverterPath: encodingFailureConverter } : {}),
    ...(logger === undefined ? {} : { logger }),
  });
}
