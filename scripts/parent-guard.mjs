// Loaded ahead of a program that run-node.mjs starts. Processes that this program starts in turn may inherit the
// option that loads it; for them it does nothing.

import { Socket } from 'node:net';

/** Presses of Ctrl-C closer together than this are one. */
const TOGETHER_MS = 400;

const pipe = process.env.RAPTOR_CUTOVER_PARENT_PIPE;
delete process.env.RAPTOR_CUTOVER_PARENT_PIPE;
if (pipe !== undefined) {
  takeRepeatedSignalsAsOne();
  endWithParent(Number(pipe));
}

/** One Ctrl-C arrives up to three times: from the terminal, from npm, and from the script that started us. */
function takeRepeatedSignalsAsOne() {
  const signals = new Set(['SIGINT', 'SIGTERM', 'SIGHUP']);
  const last = new Map();
  const { emit } = process;
  process.emit = function emitOnce(name, ...rest) {
    if (signals.has(name)) {
      const now = performance.now();
      const before = last.get(name);
      last.set(name, now);
      if (before !== undefined && now - before < TOGETHER_MS) return true;
    }
    return Reflect.apply(emit, this, [name, ...rest]);
  };
}

/** When the script that started us is killed outright, nobody passes signals on to us any more: that is one. */
function endWithParent(fd) {
  const parent = new Socket({ fd, readable: true, writable: false });
  parent.on('end', () => process.kill(process.pid, 'SIGTERM'));
  parent.on('error', () => process.kill(process.pid, 'SIGTERM'));
  parent.resume();
  // Watching must not keep a program alive that is done.
  parent.unref();
}
