import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from '@jest/globals';
import type { Place } from '../../drill/leaks.ts';

/** The files of a record's folder, each with its payloads as they are and as they read. */
export async function filesOfRecord(name: string, folder: string): Promise<Place[]> {
  const files = (await readdir(folder)).sort();
  expect(files).toEqual(['SHA256SUMS', 'history.json', 'record.html', 'record.json', 'record.md']);
  return Promise.all(
    files.slice(1).map(async (file) => {
      const text = await readFile(path.join(folder, file), 'utf8');
      // Payloads stand there in Base64, and a secret may be escaped within.
      const opened = text.replace(/(?<="data": ")[^"]+/g, (data) => Buffer.from(data, 'base64').toString());
      return { name: `${name}, ${file}`, text: `${text}\n${opened}` };
    }),
  );
}

/** The Temporal server's database row by row: in the file itself, a row that is longer than a page is cut. */
export async function rowsOfDatabase(file: string): Promise<Place> {
  const script = [
    'import sqlite3, sys',
    'db = sqlite3.connect(sys.argv[1]); db.text_factory = bytes',
    'for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = \'table\'").fetchall():',
    '    for row in db.execute(\'SELECT * FROM "%s"\' % name.decode()):',
    '        for value in row:',
    '            sys.stdout.buffer.write((value if isinstance(value, bytes) else str(value).encode()) + b"\\n")',
  ];
  const python = path.join(process.env['RC_TEST_PYTHON_BIN'] ?? '', 'python3');
  const options = { maxBuffer: 512 * 1024 * 1024 };
  const { stdout } = await promisify(execFile)(python, ['-c', script.join('\n'), file], options);
  return { name: "the rows of the Temporal server's database", text: stdout };
}

/**
 * The same database as bytes: what the server has deleted may be there still. It keeps no write-ahead log [ran: CLI
 * 1.5.1]; where another one does, that is read too.
 */
export async function bytesOfDatabase(dir: string): Promise<Place[]> {
  const files = (await readdir(dir)).filter((name) => name.startsWith('temporal.db'));
  expect(files).toContain('temporal.db');
  return Promise.all(
    files.map(async (file) => ({
      name: `the bytes of ${file}`,
      text: (await readFile(path.join(dir, file))).toString('latin1'),
    })),
  );
}
