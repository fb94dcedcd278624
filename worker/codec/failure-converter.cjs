// In JavaScript and CommonJS: the SDK loads it by `require`, also where nothing reads TypeScript.
const { DefaultFailureConverter } = require('@temporalio/common');

/**
 * Puts message and stack of a failure into a payload, where the codec encrypts them: by itself it sees payloads only.
 * Without the codec server, CLI and Web UI then show "Encoded failure".
 */
exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
