// `npm run audit`: see usage in options.ts.
import { readFile } from 'node:fs/promises';
import { Client, Connection } from '@temporalio/client';
import { AuditError } from './audit-error.ts';
import { EncryptionCodec } from '../worker/codec/encryption.ts';
import { command } from './command.ts';
import { decrypted } from './decrypt.ts';
import { unreadText } from './entry-text.ts';
import { fetchRuns } from './fetch-history.ts';
import { inOrder, readHistories, workflowIdOf, type RunHistory } from './history.ts';
import { auditUsage, readAuditOptions, type AuditOptions } from './options.ts';
import { recordOf, writeFolder } from './record-files.ts';
import { signManifest } from './signature.ts';
import { resultText } from './words.ts';

await command(auditUsage, async (say) => {
  const options = readAuditOptions(process.argv.slice(2), process.env);
  if (options.help) return say(auditUsage);
  const stored = options.histories.length > 0 ? await readFiles(options) : await fetchFrom(options);
  const codec = options.keys.length > 0 ? new EncryptionCodec(options.keys, 'client') : undefined;
  const runs = await decrypted(stored, codec);
  const { record, files } = recordOf(runs, options.workflowId);
  const { sign } = options;
  await writeFolder(options.out, files, sign === undefined ? undefined : (manifest) => signManifest(manifest, sign));
  say(
    `${options.out}: ${record.entries.length} entries of ${record.runs.length} run(s), ${resultText(record.summary)}`,
  );
  const unread = unreadText(record);
  if (unread !== null) {
    say(`  not readable ${unread}. Name the key in CUTOVER_ENCRYPTION_KEYS, as for a worker, and write it again.`);
  }
  say(`  for people   record.md and record.html`);
  say(`  head digest  ${record.head}`);
  say(`  check it     npm run audit:verify -- ${options.out}`);
});

async function readFiles({ histories, workflowId }: AuditOptions): Promise<RunHistory[]> {
  const texts = await Promise.all(
    histories.map(async (file) => {
      const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
        throw new AuditError(
          `${file} cannot be read (${error.code ?? 'unknown'}). Give the path of an exported history.`,
        );
      });
      return readHistories(text, file);
    }),
  );
  const runs = inOrder(texts.flat());
  const [first] = runs;
  const own = first && workflowIdOf(first);
  if (own != null && workflowId !== undefined && own !== workflowId) {
    throw new AuditError(`The history is of ${own}, and ${workflowId} was asked for. Give one of the two.`);
  }
  return runs;
}

async function fetchFrom({ address, namespace, workflowId = '', runId }: AuditOptions): Promise<RunHistory[]> {
  const connection = await Connection.connect({ address, connectTimeout: '10s' }).catch((error: unknown) => {
    const cause = error instanceof Error ? error.message : String(error);
    throw new AuditError(
      `There is no Temporal server at ${address} (${cause}). Give its address with --address, or a history with --history.`,
    );
  });
  try {
    return await fetchRuns(new Client({ connection, namespace }), workflowId, runId);
  } finally {
    await connection.close();
  }
}
