import { ApplicationFailure, workflowInfo } from '@temporalio/workflow';
import { runState, type RunState } from './state.ts';

/**
 * The state that an earlier run of the same workflow carried over, or undefined in a first run.
 *
 * A starter can pass a second argument too, so carried state is refused unless the server says that this run really
 * continues another one: otherwise anyone who may start a run could start it with its gates already approved.
 *
 * @throws ApplicationFailure `CarriedStateRefused`
 */
export function readCarried(carried: unknown): RunState | undefined {
  const continues = workflowInfo().continuedFromExecutionRunId !== undefined;
  if (carried === undefined && !continues) return undefined;
  if (!continues) {
    throw refused(
      'The run was started with a second argument. Expected only the input; nothing was changed. Start again without it.',
    );
  }
  const parsed = runState.safeParse(carried);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
    throw refused(`The carried state is not one that this build can read: ${problems}. Run the build that wrote it.`);
  }
  return parsed.data as RunState;
}

function refused(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'CarriedStateRefused');
}
