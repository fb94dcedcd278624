import { canonicalJson } from '../activities/canonical-json.ts';
import type { Certificate, CertificateFile } from '../workflows/certificate.ts';
import { isSignedByKey, signText } from './signature.ts';

/** What an SSH signature of a certificate is for. */
const namespace = 'cutover-certificate';

/** What is signed: a key that signs records too must not vouch for a certificate by one of those. */
function signedText(certificate: Certificate): string {
  return `${namespace}\n${canonicalJson(certificate)}`;
}

/**
 * Signs a certificate.
 *
 * @param keyFile as `signText` takes it
 * @returns the signature in base64
 * @throws AuditError
 */
export async function signCertificate(certificate: Certificate, keyFile: string): Promise<string> {
  return Buffer.from(await signText(signedText(certificate), keyFile, namespace)).toString('base64');
}

/**
 * True where the signature of a certificate is the key owner's, and of all that the certificate says.
 *
 * @param key the public key itself: PEM, or a line as in `id_ed25519.pub`
 * @throws AuditError where the key cannot be used
 */
export async function isCertificateSignedBy(
  { certificate, signature }: CertificateFile,
  key: string,
): Promise<boolean> {
  if (signature === null) return false;
  const bytes = Buffer.from(signature, 'base64');
  return isSignedByKey(signedText(certificate), bytes, { text: key, name: 'the key' }, namespace);
}
