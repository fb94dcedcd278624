import type { AuditRecord } from '../audit/record-schema.ts';
import type { Finding } from '../audit/verify.ts';
import type { Status } from '../workflows/view.ts';
import type { Case } from './case.ts';
import type { DiaryLine } from './workers/diary.ts';
import type { World } from './world.ts';
import type { Write } from './writes.ts';

/** What was seen of one case once its run was over. */
export interface Seen {
  readonly case: Case;
  readonly status: Status;
  readonly world: World;
  readonly writes: readonly Write[];
  readonly diary: readonly DiaryLine[];
  /** Whether the disturbance took place at all. */
  readonly happened: boolean;
  /** Where a secret stands that must not, as `NUMBER in PLACE`. */
  readonly leaks: readonly string[];
  readonly record: AuditRecord;
  readonly findings: readonly Finding[];
}
