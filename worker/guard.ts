import { fileURLToPath } from 'node:url';
import type { WorkerOptions } from '@temporalio/worker';
import { atBoundary, type BoundaryOptions, type ProgressListener } from '../activities/boundary.ts';
import { proveLease } from '../activities/lease.ts';
import { EncryptionCodec } from './codec/encryption.ts';
import type { EncryptionKey } from './codec/keys.ts';
import { SecretNet } from './codec/secret-net.ts';
import type { KnownSecrets } from './known-secrets.ts';

/** For the workflow's bundle and the worker alike: both write failures. */
export const encodingFailureConverter = fileURLToPath(new URL('codec/failure-converter.cjs', import.meta.url));

export interface Guard {
  /** The part of a worker's options that keeps secrets in. */
  readonly options: Required<Pick<WorkerOptions, 'interceptors' | 'dataConverter'>>;
  /** How many payloads the last net had to clean. */
  secretsReplaced(): number;
}

/**
 * What stands between a worker and everybody else: the boundary around each activity, behind it the net over every
 * payload, and behind that, where there are keys, encryption.
 */
export function createGuard(
  known: KnownSecrets,
  keys: readonly EncryptionKey[] | undefined,
  listener: ProgressListener,
): Guard {
  const net = new SecretNet(known);
  const boundary: BoundaryOptions = {
    listener,
    onSecret: known.learn,
    lastNet: (text) => known.redact(text),
    proveLease,
  };
  return {
    options: {
      interceptors: {
        activity: [
          (context) => ({
            inbound: {
              execute: (input, next) => atBoundary(context, input.args, boundary, () => next(input)),
            },
          }),
        ],
      },
      // Codecs encode from left to right: what is encrypted can be searched no more.
      dataConverter:
        keys === undefined
          ? { payloadCodecs: [net] }
          : {
              payloadCodecs: [net, new EncryptionCodec(keys, 'worker')],
              failureConverterPath: encodingFailureConverter,
            },
    },
    secretsReplaced: () => net.replaced,
  };
}
