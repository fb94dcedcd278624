// Writes what is generated in docs/ anew: `npm run docs`.
import { writeFile } from 'node:fs/promises';
import { onCallFile, onCallPage } from './on-call.ts';
import { referenceFile, referencePage } from './reference.ts';

await writeFile(onCallFile, await onCallPage());
await writeFile(referenceFile, await referencePage());
