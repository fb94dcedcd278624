import { defaultPayloadConverter, type PayloadConverter } from '@temporalio/workflow';

/**
 * What a payload that cannot be read becomes: text, which no message and no input takes, so that it is refused with a
 * reason. Thrown, it would fail the workflow task for ever: a single signal that was sent in a wrong encoding would
 * stop the run, and Cancel with it.
 */
export const payloadConverter: PayloadConverter = {
  toPayload: (...value) => defaultPayloadConverter.toPayload(...value),
  fromPayload<T>(...payload: Parameters<typeof defaultPayloadConverter.fromPayload<T>>): T {
    try {
      return defaultPayloadConverter.fromPayload<T>(...payload);
    } catch {
      return 'a payload that cannot be read' as T;
    }
  },
};
