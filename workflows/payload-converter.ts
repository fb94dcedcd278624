import { defaultPayloadConverter, type PayloadConverter } from '@temporalio/workflow';

/**
 * What a payload that cannot be read becomes: text, which no message and no input takes, so that it is refused with a
 * reason. Thrown, it would fail the workflow task for ever: a single signal that was sent in a wrong encoding would
 * stop the run, and Cancel with it.
 */
export const payloadConverter: PayloadConverter = {
  toPayload: (value, ...context) => defaultPayloadConverter.toPayload(value, ...context),
  fromPayload<T>(...read: Parameters<PayloadConverter['fromPayload']>): T {
    try {
      return defaultPayloadConverter.fromPayload<T>(...read);
    } catch {
      return 'a payload that cannot be read' as T;
    }
  },
};
