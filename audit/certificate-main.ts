// `npm run certificate:verify`: see usage in options.ts.
import { readFile } from 'node:fs/promises';
import { canonicalDigest } from '../activities/canonical-json.ts';
import { certificateText, parseCertificate, type CertificateFile } from '../workflows/certificate.ts';
import { AuditError } from './audit-error.ts';
import { isCertificateSignedBy } from './certificate.ts';
import { command } from './command.ts';
import { certificateUsage, readCertificateOptions } from './options.ts';
import { readKey } from './signature.ts';

await command(certificateUsage, async (say) => {
  const { help, file, key } = readCertificateOptions(process.argv.slice(2), process.env);
  if (help) return say(certificateUsage);
  const signed = await readCertificate(file);
  const { certificate, signature } = signed;
  if (key !== undefined) {
    const problem =
      signature === null
        ? 'it is not signed'
        : (await isCertificateSignedBy(signed, await readKey(key)))
          ? null
          : `the signature is not one of what it says by the owner of ${key}`;
    if (problem !== null) {
      say(`${file} does not hold: ${problem}.`);
      process.exitCode = 1;
      return;
    }
  }
  const by =
    key !== undefined
      ? `holds, signed by the owner of ${key}`
      : `is a certificate; ${signature === null ? 'it is not signed' : "give the signer's public key with --key to check its signature"}`;
  say(`${file} ${by}.`);
  say(`  app     ${certificate.app}, asked for by ${certificate.requestedBy}`);
  say(`  soak    ${certificate.soak.since} to ${certificate.soak.until}: ${certificateText(certificate)}`);
  say(`  matrix  ${certificate.matrixDigest}`);
  say(`  run     ${certificate.run.workflowId} ${certificate.run.runId}${linkOf(certificate.run.link)}`);
  say(`  digest  ${canonicalDigest(certificate)}`);
});

async function readCertificate(file: string): Promise<CertificateFile> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new AuditError(`${file} cannot be read (${error.code ?? 'unknown'}). Give the path of a certificate.`);
  });
  const read = parseCertificate(text);
  if (!('why' in read)) return read;
  const { field, why } = read;
  throw new AuditError(
    `${file} is no certificate of a soak: ${field === '' ? '' : `${field}: `}${why}. Give the file that a worker wrote, as it wrote it.`,
  );
}

function linkOf(link: string | null): string {
  return link === null ? '' : `, ${link}`;
}
