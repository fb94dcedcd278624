import { activityInfo } from '@temporalio/activity';

/**
 * The page in the Web UI of the run that an activity belongs to, or null where nobody has said where the Web UI is.
 *
 * @param webUi base URL
 * @param ofThisRun the page of this very run, and not of the newest one of its workflow id
 */
export function pageOfRun(webUi: string | null, ofThisRun: boolean): string | null {
  const { workflowExecution: run, namespace } = activityInfo();
  if (webUi === null || run === undefined) return null;
  const parts = ['namespaces', namespace, 'workflows', run.workflowId, ...(ofThisRun ? [run.runId] : [])];
  return [webUi, ...parts.map(encodeURIComponent)].join('/');
}
