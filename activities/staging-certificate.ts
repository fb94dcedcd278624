import { parseCertificate, type CertificateFile, type StagingSoakFacts } from '../workflows/certificate.ts';
import type { Facts } from '../workflows/facts.ts';
import { lengthText } from '../workflows/soak-clock.ts';
import { canonicalDigest } from './canonical-json.ts';
import { fail } from './fail.ts';
import type { CertificateStore, Services } from './services.ts';
import type { StagingCertificate, Target } from './target.ts';

type Required = Extract<StagingCertificate, { kind: 'required' }>;

/**
 * What a plan says of the soak before it. Where the target requires a certificate, the one that is there must be of what
 * is about to run, signed by the key that the target names, and recent enough.
 *
 * @returns undefined where the target asks nothing
 * @throws ApplicationFailure `CertificateMissing`, `CertificateInvalid`, `CertificateTooOld` or `CertificateDiffers`
 */
export async function stagingSoakOf(
  { certificates }: Services,
  target: Target,
  facts: Facts,
): Promise<StagingSoakFacts | undefined> {
  const wanted = target.stagingCertificate;
  if (wanted.kind === 'off') return undefined;
  if (wanted.kind === 'attested') {
    const { kind, by, on, link } = wanted;
    return { kind, by, on, link };
  }
  const { certificate } = await signedCertificate(certificates, target, wanted);
  checkAge(target.app, wanted, certificate.soak.until);
  checkSame(target.app, wanted, certificate, facts);
  return {
    kind: 'observed',
    app: certificate.app,
    digest: canonicalDigest(certificate),
    issuedAt: certificate.issuedAt,
    cleanSeconds: certificate.soak.cleanSeconds,
    rollbackSeconds: certificate.rehearsedRollback?.seconds ?? null,
    run: certificate.run.runId,
  };
}

async function signedCertificate(
  certificates: CertificateStore | undefined,
  { app, certificateKey }: Target,
  wanted: Required,
): Promise<CertificateFile> {
  const file = wanted.file ?? `${wanted.app}.json`;
  const text = await certificates?.read(file);
  if (text === undefined) {
    throw fail(
      'CertificateMissing',
      `${app} may be cut over only once ${wanted.app} was soaked, and there is no certificate ${file}. ` +
        `Soak ${wanted.app} (docs/soak.md), or put its certificate where this worker looks for it, then start again. Nothing was changed.`,
    );
  }
  const invalid = (seen: string) =>
    fail(
      'CertificateInvalid',
      `The certificate ${file} does not count: ${seen}. Expected one that the runbook wrote, as it wrote it, signed by the owner of ${wanted.key}. ` +
        `Take the file from the soak of ${wanted.app} again, then start again. Nothing was changed.`,
    );
  const signed = parseCertificate(text);
  if ('why' in signed) throw invalid(`${signed.field || 'file'}: ${signed.why}`);
  if (signed.signature === null) throw invalid('it is not signed');
  if (!(await isSigned(certificates, signed, certificateKey ?? '', invalid))) {
    throw invalid('its signature is not one of what it says, by that key');
  }
  return signed;
}

async function isSigned(
  certificates: CertificateStore | undefined,
  signed: CertificateFile,
  key: string,
  invalid: (seen: string) => Error,
): Promise<boolean> {
  try {
    return (await certificates?.isSignedBy(signed, key)) === true;
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error));
  }
}

/** The end of the soak counts, and not the day on which somebody had it signed. */
function checkAge(app: string, { maxAge, app: staging }: Required, until: string): void {
  const age = Date.now() - Date.parse(until);
  if (age <= maxAge) return;
  throw fail(
    'CertificateTooOld',
    `The soak of ${staging} ended at ${until}, ${lengthText(age)} ago; ${app} expects ${lengthText(maxAge)} at most. ` +
      `Soak ${staging} again, then start again. Nothing was changed.`,
  );
}

function checkSame(app: string, wanted: Required, certificate: CertificateFile['certificate'], facts: Facts): void {
  const compared: [what: string, soaked: string | null, runs: string | null][] = [
    ['the app', certificate.app, wanted.app],
    ['the commit', certificate.commit, facts.release.commit],
    ['the head', certificate.head, facts.migrations.heads.join(', ')],
    ['the grant matrix', certificate.matrixDigest, facts.matrixDigest],
  ];
  // Where nobody knows the commit, nobody knows that it is the same.
  const different = compared.filter(([, soaked, runs]) => soaked === null || soaked !== runs);
  if (different.length === 0) return;
  const seen = different.map(
    ([what, soaked, runs]) => `${what} is ${soaked ?? 'unknown'}, expected ${runs ?? 'unknown'}`,
  );
  throw fail(
    'CertificateDiffers',
    `What was soaked is not what ${app} is about to run: ${seen.join('; ')}. Deploy what was soaked, or soak what is deployed, ` +
      'then start again. Nothing was changed.',
  );
}
