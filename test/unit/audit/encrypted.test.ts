import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { Payload } from '@temporalio/common';
import { decrypted } from '../../../audit/decrypt.ts';
import { readHistories, type RunHistory } from '../../../audit/history.ts';
import { encodingOf } from '../../../audit/payloads.ts';
import { recordOf } from '../../../audit/record-files.ts';
import type { AuditRecord } from '../../../audit/record-schema.ts';
import { verifyRecord } from '../../../audit/verify.ts';
import { EncryptionCodec } from '../../../worker/codec/encryption.ts';
import { eventfulRun, payload, runOf, written } from './histories.ts';

const newKey = (id: string) => ({ id, bytes: randomBytes(32) });
const [old, current] = [newKey('old'), newKey('current')];
const reader = (...keys: (typeof old)[]): EncryptionCodec => new EncryptionCodec(keys, 'client');

const bytes = (text: string): Buffer => Buffer.from(text, 'base64');

/** The run as a server has it whose worker encrypts: what clients sent is in clear where `spare` says so. */
async function encryptedWith(key: typeof old, run: RunHistory, spare = (_event: string) => false): Promise<RunHistory> {
  const codec = new EncryptionCodec([key], 'worker');
  const seal = async (value: any): Promise<unknown> => {
    if (Array.isArray(value)) return Promise.all(value.map(seal));
    if (typeof value !== 'object' || value === null) return value;
    if (encodingOf(value) === null) {
      const fields = await Promise.all(Object.entries(value).map(async ([name, inner]) => [name, await seal(inner)]));
      return Object.fromEntries(fields) as unknown;
    }
    const [sealed] = await codec.encode([
      { metadata: { encoding: bytes(value.metadata.encoding) }, data: bytes(value.data) },
    ]);
    return onWire(sealed as Payload);
  };
  const events = run.events.map(async (event) => (spare(event.eventType) ? event : seal(event)));
  return { ...run, events: (await Promise.all(events)) as RunHistory['events'] };
}

function onWire({ metadata, data }: Payload): object {
  const texts = Object.entries(metadata ?? {}).map(([name, text]) => [name, Buffer.from(text).toString('base64')]);
  return { metadata: Object.fromEntries(texts) as object, data: Buffer.from(data ?? []).toString('base64') };
}

const reasonless = { message: 'Encoded failure', applicationFailureInfo: { type: 'SmokeFailed' } };
const failing = runOf([
  written.started({ app: 'written', requestedBy: 'Rita' }),
  written.scheduled('runSmoke', { app: 'written', step: 'smoke', attempt: 1 }, 'Run it'),
  written.begun(2),
  {
    eventType: 'EVENT_TYPE_ACTIVITY_TASK_FAILED',
    activityTaskFailedEventAttributes: {
      scheduledEventId: '2',
      failure: {
        message: 'Encoded failure',
        encodedAttributes: payload({ message: 'Activity task failed', stack_trace: '' }),
        activityFailureInfo: {},
        cause: { ...reasonless, encodedAttributes: payload({ message: 'the suite is red', stack_trace: 'at x' }) },
      },
    },
  },
]);

describe('with the keys', () => {
  test('the record is the one of the same run in clear, and holds offline, without them', async () => {
    const sealed = await encryptedWith(old, eventfulRun());
    expect(JSON.stringify(sealed)).not.toContain(JSON.stringify(payload({ by: 'Bo', reason: 'errors everywhere' })));
    const { record, files } = recordOf(await decrypted([sealed], reader(current, old)));
    expect(record).toEqual(recordOf([eventfulRun()]).record);
    expect(verifyRecord(files)).toEqual([]);
  });

  test('a failure says what it said, through its causes', async () => {
    const sealed = await encryptedWith(current, failing);
    const { record } = recordOf(await decrypted([sealed], reader(current)));
    expect(record.summary.steps[0]?.attempts[0]?.failure).toEqual({ type: 'SmokeFailed', message: 'the suite is red' });
  });

  test('what is in clear, null or of another encoding stays as it is', async () => {
    const run = eventfulRun();
    expect(await decrypted([run], reader(current))).toEqual([run]);
    const nothing = { metadata: { encoding: Buffer.from('binary/null').toString('base64') } };
    const [sealed] = await new EncryptionCodec([current], 'worker').encode([
      { metadata: { encoding: Buffer.from('binary/null') } },
    ]);
    const holding = (inner: unknown): RunHistory => runOf([written.started({ app: 'a' }, { lastResult: inner })]);
    expect(await decrypted([holding(onWire(sealed as Payload))], reader(current))).toEqual([holding(nothing)]);
  });
});

describe('without a key', () => {
  const told = (record: AuditRecord): { md: string; html: string } => {
    const { files } = recordOf(readHistories(JSON.stringify(runs), 'a file'));
    expect(JSON.parse(files['record.json'])).toEqual(record);
    return { md: files['record.md'], html: files['record.html'] };
  };
  let runs: readonly RunHistory[] = [];
  const recordFor = async (sealed: RunHistory, codec?: EncryptionCodec): Promise<AuditRecord> => {
    runs = await decrypted([sealed], codec);
    const { record, files } = recordOf(runs);
    expect(verifyRecord(files)).toEqual([]);
    return record;
  };

  test.each([
    ['no key', undefined],
    ['another key', reader(newKey('another'))],
    ['another key of the same id', reader(newKey('old'))],
  ])('%s: it is written, holds, and says which entries cannot be read', async (_, codec) => {
    const record = await recordFor(await encryptedWith(old, eventfulRun()), codec);
    expect(record.unreadable).toBeGreaterThan(10);
    const { md, html } = told(record);
    for (const text of [md, html]) expect(text).toMatch(/\d+ payload\(s\), encrypted with the key old, in entries 1/);
  });

  test('it never says that nothing was decided, changed, undone or is in place', async () => {
    const { md, html } = told(await recordFor(await encryptedWith(old, eventfulRun())));
    for (const text of [md, html]) {
      expect(text.match(/Not known\. As far as this record could be read: no/g)).toHaveLength(4);
      expect(text).not.toMatch(/(^|>)No(thing|body)|changed nothing: a double/m);
    }
  });

  test('what people sent in clear is there, and what became of it is told to be unknown', async () => {
    const sealed = await encryptedWith(old, eventfulRun(), (type) => type.includes('SIGNALED'));
    expect(told(await recordFor(sealed)).md).toMatch(/`approve` from Ada .* and what became of it cannot be read/);
  });

  test('a failure says that it cannot be read, and its type', async () => {
    const record = await recordFor(await encryptedWith(old, failing));
    expect(record.entries.at(-1)?.data['failure']).toEqual({
      type: 'SmokeFailed',
      message: 'not readable: binary/encrypted',
    });
  });

  test('of two keys: the half that is open is told', async () => {
    const run = eventfulRun();
    const first = await encryptedWith(old, { ...run, events: run.events.slice(0, 8) });
    const rest = await encryptedWith(current, { ...run, events: run.events.slice(8) });
    const record = await recordFor({ ...run, events: [...first.events, ...rest.events] }, reader(old));
    expect(record.summary.plans).toHaveLength(1);
    expect(told(record).md).toContain('encrypted with the key current, in entries');
  });
});

test('one message of people that is garbled makes no secret of the rest', () => {
  const garbled = { ...(payload({}) as object), data: Buffer.from('{').toString('base64') };
  const run = runOf([
    written.started({ app: 'written', requestedBy: 'Rita' }),
    {
      ...written.signal('approve', {}),
      workflowExecutionSignaledEventAttributes: { signalName: 'x', input: [garbled] },
    },
  ]);
  const { files } = recordOf([run]);
  expect(files['record.md']).toMatch(/1 payload\(s\), of an encoding that nobody here knows, in entry 2/);
  expect(files['record.md']).toContain('Nothing was undone.');
});
