import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type BundleOptions, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { encodingFailureConverter } from './guard.ts';

const ownWorkflows = fileURLToPath(new URL('../workflows', import.meta.url));

/**
 * The workflow code in one file, as a worker runs it. Building takes seconds: once for many workers is enough.
 *
 * @param encrypts whether the worker has keys: failures are then written so that they can be encrypted
 * @param folder of the workflow code: this project's own unless said
 */
export function buildWorkflowBundle(
  logger?: BundleOptions['logger'],
  encrypts = false,
  folder = ownWorkflows,
): Promise<WorkflowBundleWithSourceMap> {
  return bundleWorkflowCode({
    workflowsPath: path.join(folder, 'index.ts'),
    payloadConverterPath: path.join(folder, 'payload-converter.ts'),
    ...(encrypts ? { failureConverterPath: encodingFailureConverter } : {}),
    ...(logger === undefined ? {} : { logger }),
  });
}
