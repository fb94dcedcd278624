import { DefaultFailureConverter } from '@temporalio/common';

/**
 * Puts message and stack of a failure into a payload, where the codec encrypts them: by itself it sees payloads only.
 * Without the codec server, CLI and Web UI then show "Encoded failure".
 */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
