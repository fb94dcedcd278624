import { expect, test } from '@jest/globals';
import { readAuditOptions, readCertificateOptions, readVerifyOptions, UsageError } from '../../../audit/options.ts';

test('a workflow id is enough', () => {
  expect(readAuditOptions(['cutover-app'], {})).toMatchObject({
    workflowId: 'cutover-app',
    out: 'records/cutover-app',
    address: '127.0.0.1:7233',
    namespace: 'default',
  });
});

test('the address is taken from the environment, and from the command line before it', () => {
  const env = { TEMPORAL_ADDRESS: 'a:1', TEMPORAL_NAMESPACE: 'n' };
  expect(readAuditOptions(['x'], env)).toMatchObject({ address: 'a:1', namespace: 'n' });
  expect(readAuditOptions(['x', '--address', 'b:2', '--namespace', 'm'], env)).toMatchObject({
    address: 'b:2',
    namespace: 'm',
  });
});

test('a history needs no workflow id, and a strange id names no other folder', () => {
  expect(readAuditOptions(['--history', 'a', '--history', 'b'], {})).toMatchObject({ histories: ['a', 'b'] });
  expect(readAuditOptions(['../../etc/x'], {}).out).toBe('records/.._.._etc_x');
});

test('the keys are those of the worker, by the same references', () => {
  const env = { CUTOVER_ENCRYPTION_KEYS: 'new=env:KEY', KEY: 'ab'.repeat(32) };
  expect(readAuditOptions(['x'], env).keys).toEqual([{ id: 'new', bytes: Buffer.alloc(32, 0xab) }]);
  expect(readAuditOptions(['x'], { CUTOVER_ENCRYPTION_KEYS: '' }).keys).toEqual([]);
  expect(() => readAuditOptions(['x'], { CUTOVER_ENCRYPTION_KEYS: 'new=file:/nowhere' })).toThrow(
    /^CUTOVER_ENCRYPTION_KEYS names a file for the key new that cannot be read.*or unset it/,
  );
});

test.each([[[]], [['a', 'b']], [['a', '--nope']], [['a', '--out']], [['--history', 'f', '--address', 'a:1']]])(
  'audit %j is a mistake',
  (args) => {
    expect(() => readAuditOptions(args, {})).toThrow(UsageError);
  },
);

test.each([[[]], [['a', 'b']], [['a', '--sign', 'k']]])('audit:verify %j is a mistake', (args) => {
  expect(() => readVerifyOptions(args, {})).toThrow(UsageError);
});

test('help needs nothing else', () => {
  expect(readAuditOptions(['--help'], {}).help).toBe(true);
  expect(readVerifyOptions(['--help'], {}).help).toBe(true);
});

test('a path counts from where the command was called, and not from where npm went', () => {
  const env = { INIT_CWD: '/where/called' };
  expect(readVerifyOptions(['record', '--key', '../key.pem'], env)).toMatchObject({
    folder: '/where/called/record',
    key: '/where/key.pem',
  });
  expect(readCertificateOptions(['/elsewhere/app.json'], env)).toMatchObject({ file: '/elsewhere/app.json' });
  expect(readAuditOptions(['--history', 'h.json', '--out', 'out', '--sign', 'k'], env)).toMatchObject({
    histories: ['/where/called/h.json'],
    out: '/where/called/out',
    sign: '/where/called/k',
  });
  // Unless a place is named, records go where they always go.
  expect(readAuditOptions(['cutover-app'], env).out).toBe('records/cutover-app');
});
