import { release } from './release.ts';
import { anchorOf, eventsDigest, linked, runLine } from './chain.ts';
import { draftsOf } from './drafts.ts';
import { previousRunId, workflowIdOf, type RunHistory } from './history.ts';
import { answers } from './match.ts';
import { textOf, unreadableIn } from './payloads.ts';
import { recordFormat, type AuditRecord, type Entry } from './record-schema.ts';
import { summarise } from './summary.ts';

/** What can be known beside the history. */
interface Beside {
  /** The id of the workflow, where old exports do not say it. */
  readonly workflowId?: string | undefined;
  /** The release that writes; checking a record takes the one that it names. */
  readonly writtenBy?: string;
}

/**
 * The record of a chain of runs. Pure: the same histories make the same record, which is how one is checked.
 *
 * @param runs in their order
 */
export function buildRecord(runs: readonly RunHistory[], { workflowId, writtenBy }: Beside = {}): AuditRecord {
  const drafts = draftsOf(runs);
  const answered = answers(drafts);
  const bare = drafts.map(({ kind, name, text, who, data, run, events, at }, index): Omit<Entry, 'prev' | 'digest'> => {
    const answer = answered.get(index);
    return {
      seq: index + 1,
      at: at.eventTime,
      kind,
      name,
      text,
      who: answer?.who ?? who,
      message: answer?.message == null ? null : answer.message + 1,
      data: { ...data },
      source: { run, events: events.map((event) => String(event.eventId)), digest: eventsDigest(events) },
    };
  });
  const [first] = runs;
  const head = {
    format: recordFormat,
    writtenBy: writtenBy ?? release,
    workflow: {
      id: (first && workflowIdOf(first)) ?? workflowId ?? null,
      type: textOf(bare[0]?.data['type']) ?? '',
    },
    runs: runs.map(runLine),
    continues: first === undefined ? null : previousRunId(first),
    unreadable: bare.flatMap(({ data }) => unreadableIn(data)).length,
  } as const;
  const entries = linked(anchorOf(head), bare);
  return { ...head, summary: summarise(entries), entries, head: entries.at(-1)?.digest ?? '' };
}

/** `record.json`. */
export function recordText(record: AuditRecord): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}
