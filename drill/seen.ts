import type { AuditRecord } from '../audit/record-schema.ts';
import type { Finding } from '../audit/verify.ts';
import type { Status } from '../workflows/view.ts';
import type { Case } from './case.ts';
import type { Outage } from './recovery.ts';
import type { DiaryLine } from './workers/diary.ts';
import type { World } from './world.ts';
import type { Write } from './writes.ts';

/** What was seen of one run once it was over. */
export interface Seen {
  /** The case that it was for, or the first of those that shared it. */
  readonly case: Case;
  /** All of those. */
  readonly cases: readonly Case[];
  readonly status: Status;
  readonly world: World;
  readonly writes: readonly Write[];
  /** What took effect in PostgreSQL's catalog, an entry for each time. */
  readonly effects: readonly Write[];
  readonly diary: readonly DiaryLine[];
  /** The cases whose disturbance did not take place. */
  readonly absent: readonly Case[];
  /** Where a secret stands that must not, as `NUMBER in PLACE`. */
  readonly leaks: readonly string[];
  /** When a service that was away was back. */
  readonly outages: readonly Outage[];
  /** Of the run, from its start. */
  readonly record: AuditRecord;
  /** Of every run that the app has had here, that one included, in order. */
  readonly records: readonly AuditRecord[];
  /** What does not hold in the records: of this run, and of one in whose place it was started. */
  readonly findings: readonly Finding[];
}
