import { spawn } from 'node:child_process';
import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import { fail } from './fail.ts';
import { observe } from './perform.ts';
import { lastLines } from './revisions.ts';
import { currentScope } from './scope.ts';
import { deployedSlug, webUrlOf, type Services } from './services.ts';
import type { CommandSmoke, Target } from './target.ts';

/** Characters of output that are kept. */
const outputLimit = 100_000;

/**
 * Runs a command on the worker's host. It is told where the app is and as whom it must answer, and nothing of the
 * worker's own environment that could be a secret.
 */
export async function runSmokeCommand(
  services: Services,
  call: StepCall,
  { app, role }: Target,
  { command, withinMinutes }: CommandSmoke,
): Promise<StepResult<Evidence<'smoke'>>> {
  return observe(async () => {
    const [base, { commit }] = await Promise.all([webUrlOf(services, app), deployedSlug(services, app)]);
    const { code, output } = await run(command, withinMinutes * 60_000, {
      ...services.hostEnv,
      SMOKE_BASE_URL: base,
      SMOKE_EXPECT_USER: call.asRole === true ? role.credential : '',
    });
    if (code !== 0) {
      throw fail(
        'SmokeFailed',
        `\`${command.join(' ')}\` ended with ${code ?? 'a signal'}; expected 0. Mend what it found, then try again or abort. ` +
          `Its last lines:\n${lastLines(output)}`,
      );
    }
    return { by: command.join(' '), link: null, commit, conclusion: 'success' };
  });
}

function run(
  [file = '', ...args]: readonly string[],
  timeoutMs: number,
  env: Record<string, string>,
): Promise<{ code: number | null; output: string }> {
  const { signal } = currentScope();
  return new Promise((resolve, reject) => {
    // A group of its own, so that what the command starts ends with it.
    const child = spawn(file, args, {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const end = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended by itself meanwhile.
      }
    };
    const timer = setTimeout(end, timeoutMs);
    signal.addEventListener('abort', end, { once: true });
    let output = '';
    const take = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-outputLimit);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
    };
    child.once('error', (error) => {
      done();
      reject(
        fail(
          'SmokeFailed',
          `\`${file}\` could not be started: ${error.message}. Correct smoke.command in the target file.`,
        ),
      );
    });
    child.once('close', (code) => {
      done();
      if (signal.aborted) reject(signal.reason as Error);
      else resolve({ code, output: currentScope().secrets.redact(output) });
    });
  });
}
