import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { installApart } from '../../rehearsal/packages-apart.ts';

// Installs the official CLI from the lockfile in official/. Says the folder of `heroku` on standard output.

const from = fileURLToPath(new URL('official', import.meta.url));
const what = 'the official Heroku CLI';

try {
  const folder = await installApart({ from, name: 'heroku-cli', what }, (line) => console.error(line));
  process.stdout.write(`${path.join(folder, 'node_modules', '.bin')}\n`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
