// Plain enough for any Node that knows ES modules: it has to run where nothing else does.

/** The oldest Node that works, as in `engines` of package.json: the SDK and AbortSignal.any need it. */
export const OLDEST_NODE = [20, 3, 0];

/**
 * @param {string} version such as `20.3.0`
 * @returns {string | undefined} what to tell the user when that Node is too old
 */
export function nodeProblem(version) {
  const parts = version.split('.').map(Number);
  for (let index = 0; index < OLDEST_NODE.length; index += 1) {
    if (parts[index] > OLDEST_NODE[index]) return undefined;
    if (parts[index] < OLDEST_NODE[index]) {
      return (
        'Node.js ' + OLDEST_NODE.join('.') + ' or newer is needed; this is ' + version + '. See https://nodejs.org'
      );
    }
  }
  return undefined;
}

/** Ends the process with a plain message when this Node is too old. */
export function requireNode() {
  const problem = nodeProblem(process.versions.node);
  if (problem === undefined) return;
  console.error(problem);
  process.exit(1);
}
