import path from 'node:path';
import { parseArgs } from 'node:util';
import { readKeys, type EncryptionKey } from '../worker/codec/keys.ts';

/** A mistake in how a command was called: told with its usage. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface AuditOptions {
  readonly help: boolean;
  readonly workflowId: string | undefined;
  readonly runId: string | undefined;
  readonly out: string;
  /** Exported histories, one file a run, in any order. */
  readonly histories: readonly string[];
  readonly address: string;
  readonly namespace: string;
  readonly sign: string | undefined;
  /** With which encrypted payloads are read. */
  readonly keys: readonly EncryptionKey[];
}

export const auditUsage = `Usage: npm run audit -- WORKFLOW_ID [options]

Writes the record of a run, whatever became of it, from its history: record.json, record.md and record.html, with the
history itself and the digests of all of them.

  --out DIR            where to; records/WORKFLOW_ID unless given. A record that is there is replaced
  --history FILE       reads the history from a file that the Web UI downloaded or \`temporal workflow show
                       --output json\` printed; once for each run where the workflow continued as new
  --run-id ID          an earlier run of the same workflow id than the latest
  --address HOST:PORT  of Temporal; TEMPORAL_ADDRESS or 127.0.0.1:7233 unless given
  --namespace NAME     TEMPORAL_NAMESPACE or default unless given
  --sign KEY           signs with an Ed25519 key in PEM, or an SSH key
  --help               explains

Encrypted payloads are decrypted with the worker's keys, where CUTOVER_ENCRYPTION_KEYS names them as it does for a
worker: the record then holds them in clear. Without a key it says which of its entries could not be read.`;

/**
 * Reads the command line of `npm run audit`.
 *
 * @throws UsageError
 */
export function readAuditOptions(args: readonly string[], env: NodeJS.ProcessEnv): AuditOptions {
  const { values, positionals } = parsed(args, {
    help: { type: 'boolean' },
    out: { type: 'string' },
    history: { type: 'string', multiple: true },
    'run-id': { type: 'string' },
    address: { type: 'string' },
    namespace: { type: 'string' },
    sign: { type: 'string' },
  });
  const [workflowId, ...others] = positionals;
  const histories = values.history ?? [];
  if (others.length > 0)
    throw new UsageError(`One workflow id was expected, and ${others.join(' ')} stands behind it.`);
  if (workflowId === undefined && histories.length === 0 && !values.help) {
    throw new UsageError('The id of a workflow is missing, such as cutover-<app>.');
  }
  if (histories.length > 0 && (values.address ?? values.namespace ?? values['run-id']) !== undefined) {
    throw new UsageError('--history reads files: --address, --namespace and --run-id do not go with it.');
  }
  return {
    help: values.help ?? false,
    workflowId,
    runId: values['run-id'],
    out: fromCaller(values.out, env) ?? `records/${(workflowId ?? 'from-file').replace(/[^\w.-]/g, '_')}`,
    histories: histories.map((file) => fromCaller(file, env)),
    address: values.address ?? env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233',
    namespace: values.namespace ?? env['TEMPORAL_NAMESPACE'] ?? 'default',
    sign: fromCaller(values.sign, env),
    keys: keysIn(env),
  };
}

function keysIn(env: NodeJS.ProcessEnv): EncryptionKey[] {
  const references = env['CUTOVER_ENCRYPTION_KEYS'] ?? '';
  if (references === '') return [];
  try {
    return readKeys(references, env);
  } catch (error) {
    throw new UsageError(
      `CUTOVER_ENCRYPTION_KEYS ${(error as Error).message}. Set it as for a worker, or unset it: what is encrypted is then told as unreadable.`,
    );
  }
}

export interface VerifyOptions {
  readonly help: boolean;
  readonly folder: string;
  readonly key: string | undefined;
}

export const verifyUsage = `Usage: npm run audit:verify -- DIR [--key FILE]

Works a record out again from its history.json and compares, offline. Exits 0 where everything holds; else it names the
first entry that does not, and exits 1.

  --key FILE  the signer's public key, in PEM or as in an SSH key's .pub file: the record must be signed with it
  --help      explains`;

/**
 * Reads the command line of `npm run audit:verify`.
 *
 * @throws UsageError
 */
export function readVerifyOptions(args: readonly string[], env: NodeJS.ProcessEnv): VerifyOptions {
  const { place: folder, ...options } = readPlaceAndKey(args, env, 'folder', 'record');
  return { folder, ...options };
}

export interface CertificateOptions {
  readonly help: boolean;
  readonly file: string;
  readonly key: string | undefined;
}

export const certificateUsage = `Usage: npm run certificate:verify -- FILE [--key FILE]

Reads the certificate of a soak, offline, and says what it says. Exits 0 where it holds; else it says why not, and exits 1.

  --key FILE  the signer's public key, in PEM or as in an SSH key's .pub file: the certificate must be signed with it
  --help      explains`;

/**
 * Reads the command line of `npm run certificate:verify`.
 *
 * @throws UsageError
 */
export function readCertificateOptions(args: readonly string[], env: NodeJS.ProcessEnv): CertificateOptions {
  const { place: file, ...options } = readPlaceAndKey(args, env, 'file', 'certificate');
  return { file, ...options };
}

/** @throws UsageError */
function readPlaceAndKey(args: readonly string[], env: NodeJS.ProcessEnv, kind: 'file' | 'folder', of: string) {
  const { values, positionals } = parsed(args, { help: { type: 'boolean' }, key: { type: 'string' } });
  const [place, ...others] = positionals;
  if (others.length > 0) throw new UsageError(`One ${kind} was expected, and ${others.join(' ')} stands behind it.`);
  if (place === undefined && !values.help) throw new UsageError(`The ${kind} of the ${of} is missing.`);
  return { help: values.help ?? false, place: fromCaller(place, env) ?? '', key: fromCaller(values.key, env) };
}

/** A path counts from where the command was called: npm has left that folder, and says which it was. */
function fromCaller<T extends string | undefined>(place: T, env: NodeJS.ProcessEnv): T {
  const { INIT_CWD: folder } = env;
  return (place === undefined || folder === undefined ? place : path.resolve(folder, place)) as T;
}

type Options = NonNullable<Parameters<typeof parseArgs>[0]>['options'];

function parsed<O extends NonNullable<Options>>(args: readonly string[], options: O) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
