import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { typescriptFlags } from '../../scripts/run-node.mjs';

/** Starts services.ts and puts what it says into the environment of every test file. */
export default async function globalSetup() {
  const services = fileURLToPath(new URL('services.ts', import.meta.url));
  // A group of its own: on Ctrl-C it is to end in order, which it does when its input ends.
  const child = spawn(process.execPath, [...typescriptFlags(), services], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  child.stdin.on('error', () => undefined);
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const line = new Promise((resolve) => {
    createInterface(child.stdout).on('line', (text) => (text.startsWith('{') ? resolve(text) : console.error(text)));
  });
  const env = await Promise.race([line, exited.then(() => undefined)]);
  if (env === undefined) throw new Error('the services that the tests need did not start; see above');
  Object.assign(process.env, JSON.parse(env));
  globalThis.stopServices = async () => {
    child.stdin.end();
    await exited;
  };
}
