import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type BundleOptions, type WorkflowBundleWithSourceMap } from '@temporalio/worker';

const inWorkflows = (file: string): string => fileURLToPath(new URL(`../workflows/${file}`, import.meta.url));

/** The workflow code in one file, as a worker runs it. Building takes seconds: once for many workers is enough. */
export function buildWorkflowBundle(logger?: BundleOptions['logger']): Promise<WorkflowBundleWithSourceMap> {
  return bundleWorkflowCode({
    workflowsPath: inWorkflows('index.ts'),
    payloadConverterPath: inWorkflows('payload-converter.ts'),
    ...(logger === undefined ? {} : { logger }),
  });
}
