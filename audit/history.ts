import { z } from 'zod';
import { AuditError } from './audit-error.ts';
import { fieldsOf, textOf, type Fields } from './payloads.ts';

const event = z
  .object({ eventId: z.union([z.string(), z.number()]), eventTime: z.string(), eventType: z.string() })
  .passthrough();
const run = z.object({ events: z.array(event).min(1) }).passthrough();
/** The Web UI and the CLI write `{events}`, the HTTP API `{history: {events}}`, older tools the bare list. */
const oneRun = z.union([
  run,
  z.object({ history: run }).transform(({ history }) => history),
  z
    .array(event)
    .min(1)
    .transform((events) => ({ events })),
]);

/** An event as the export has it: never changed, since its digest is taken of it. */
export type HistoryEvent = z.infer<typeof event>;

/** The history of one run, in protobuf JSON. */
export interface RunHistory {
  readonly runId: string;
  readonly events: readonly HistoryEvent[];
}

/** `WORKFLOW_EXECUTION_STARTED` and the like, however the export spells it. */
export function typeOf({ eventType }: HistoryEvent): string {
  return eventType.startsWith('EVENT_TYPE_')
    ? eventType.slice('EVENT_TYPE_'.length)
    : eventType.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase();
}

/** The attributes of an event, under whichever key its type has. */
export function attributesOf(from: HistoryEvent): Fields {
  const key = Object.keys(from).find((name) => name.endsWith('EventAttributes'));
  return fieldsOf(key === undefined ? undefined : from[key]);
}

/**
 * Reads an exported history: one run, or a list of runs where the workflow continued as new.
 *
 * @param text JSON
 * @param name of the file, for messages
 * @throws AuditError
 */
export function readHistories(text: string, name: string): RunHistory[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new AuditError(`${name} is not JSON: ${(error as Error).message}. ${expected}`);
  }
  const parsed = z.union([oneRun.transform((one) => [one]), z.array(oneRun).min(1)]).safeParse(json);
  if (!parsed.success) throw new AuditError(`${name} is JSON, and no history of a workflow. ${expected}`);
  return parsed.data.map(({ events }) => ({ runId: runIdOf(events, name), events }));
}

const expected =
  'Expected what the Web UI downloads as event history, or `temporal workflow show --output json` prints, or a history.json of a record.';

function runIdOf([first]: readonly HistoryEvent[], name: string): string {
  const attributes = first && typeOf(first) === 'WORKFLOW_EXECUTION_STARTED' ? attributesOf(first) : {};
  const runId = textOf(attributes['originalExecutionRunId']);
  if (runId === null) {
    throw new AuditError(
      `${name} does not begin with the start of a run. Expected the whole history, from its first event: download it again without a filter.`,
    );
  }
  return runId;
}

/** The run that goes on after this one, as its last event says; null where the run is the last, or still runs. */
export function nextRunId({ events }: RunHistory): string | null {
  const last = events.at(-1);
  return last === undefined ? null : textOf(attributesOf(last)['newExecutionRunId']);
}

/** The run that this one continues, as its first event says. */
export function previousRunId({ events }: RunHistory): string | null {
  const [first] = events;
  return first === undefined ? null : textOf(attributesOf(first)['continuedExecutionRunId']);
}

/** The id of the workflow, where the export says it: servers before 1.24 did not. */
export function workflowIdOf({ events }: RunHistory): string | null {
  const [first] = events;
  return first === undefined ? null : textOf(attributesOf(first)['workflowId']);
}

/**
 * The runs of one chain in their order.
 *
 * @throws AuditError where a run is there twice, or one between two is missing
 */
export function inOrder(runs: readonly RunHistory[]): RunHistory[] {
  const byId = new Map(runs.map((one) => [one.runId, one]));
  if (byId.size !== runs.length) throw new AuditError('One run was given twice. Give the history of each run once.');
  const firsts = runs.filter((one) => !byId.has(previousRunId(one) ?? ''));
  const [first] = firsts;
  if (first === undefined || firsts.length > 1) {
    const ids = firsts.map((one) => one.runId).join(', ');
    throw new AuditError(
      `The runs do not make one chain: ${ids} continue nothing that was given. Give every run of one workflow, and nothing else.`,
    );
  }
  const chain: RunHistory[] = [];
  for (let next: RunHistory | undefined = first; next !== undefined; next = byId.get(nextRunId(next) ?? '')) {
    chain.push(next);
    if (chain.length > runs.length) break;
  }
  if (chain.length !== runs.length) {
    throw new AuditError(
      'The runs do not make one chain: one does not continue the other. Give each run of the chain.',
    );
  }
  return chain;
}

/** `history.json`: one run as its export has it, or the list of them. */
export function historyText(runs: readonly RunHistory[]): string {
  const [first] = runs;
  const exported = runs.map(({ events }) => ({ events }));
  return `${JSON.stringify(first !== undefined && runs.length === 1 ? exported[0] : exported, null, 1)}\n`;
}
