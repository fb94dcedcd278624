import type { AuditRecord } from '../../audit/record-schema.ts';
import { startProgram } from './started-program.ts';

export interface Audited {
  readonly code: number | null;
  readonly text: string;
}

/** Runs one of the commands of the audit to its end. */
export async function runAudit(
  script: 'audit' | 'audit-verify',
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Audited> {
  const program = await startProgram(['node', `scripts/${script}.mjs`, ...args], env);
  const { code } = await program.ended;
  const text = program.output();
  await program.dispose();
  return { code, text };
}

/** What a record says, whichever way its history was written down. */
export function bare({ summary, workflow, unreadable, entries }: AuditRecord) {
  return {
    ...{ summary, workflow, unreadable },
    entries: entries.map(({ kind, text, who, data }) => ({ kind, text, who, data })),
  };
}
