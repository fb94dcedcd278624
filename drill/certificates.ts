import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { isCertificateSignedBy } from '../audit/certificate.ts';
import { parseCertificate } from '../workflows/certificate.ts';
import type { Stage } from './stage.ts';

/** The text of each certificate that workers have kept of an app, one for each run. */
export async function certificateTexts({ folder }: Stage['certificates'], app: string): Promise<string[]> {
  const names = await readdir(path.join(folder, app)).catch(() => []);
  return Promise.all(names.sort().map((name) => readFile(path.join(folder, app, name), 'utf8')));
}

/** What there is to say of each: `holds`, or why not. The newest one must be the one that production reads. */
export async function certificatesIn(kept: Stage['certificates'], app: string): Promise<string[]> {
  const texts = await certificateTexts(kept, app);
  const said = await Promise.all(texts.map((text) => sayOf(text, kept.key)));
  if (texts.length === 0) return [];
  const newest = await readFile(path.join(kept.folder, `${app}.json`), 'utf8').catch(() => '');
  return texts.includes(newest) ? said : [...said, 'none of them is the newest one'];
}

async function sayOf(text: string, key: string): Promise<string> {
  const read = parseCertificate(text);
  if ('why' in read) return `is none: ${read.field} ${read.why}`;
  const { soak, rehearsedRollback } = read.certificate;
  if (!(await isCertificateSignedBy(read, key))) return 'is not signed by the worker';
  if (soak.cleanSeconds < soak.forSeconds) return `is of ${soak.cleanSeconds} clean seconds of ${soak.forSeconds}`;
  return rehearsedRollback === null ? 'knows of no way back' : 'holds';
}
