// Writes what is generated in docs/ anew: `npm run docs`.
import { writeFile } from 'node:fs/promises';
import { onCallFile, onCallPage } from './on-call.ts';

await writeFile(onCallFile, await onCallPage());
