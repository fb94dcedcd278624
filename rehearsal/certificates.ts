import { generate } from 'selfsigned';

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

const DAY = 24 * 60 * 60 * 1000;

// A day back: a client whose clock runs a little behind must not find the certificate "not yet valid".
const validity = (): { notBeforeDate: Date; notAfterDate: Date } => ({
  notBeforeDate: new Date(Date.now() - DAY),
  notAfterDate: new Date(Date.now() + 30 * DAY),
});

const LOOPBACK_NAMES = {
  name: 'subjectAltName' as const,
  altNames: [
    { type: 2 as const, value: 'localhost' },
    { type: 7 as const, ip: '127.0.0.1' },
  ],
};

/** A certificate for 127.0.0.1 and localhost that vouches for itself, as a managed PostgreSQL server presents. */
export async function selfSignedCertificate(commonName: string): Promise<KeyPair> {
  const made = await generate([{ name: 'commonName', value: commonName }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ...validity(),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', digitalSignature: true, keyCertSign: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      LOOPBACK_NAMES,
    ],
  });
  return { certificate: made.cert, key: made.private };
}

/** A certificate authority made for this run, and a certificate for 127.0.0.1 and localhost that it signed; a client may show it too. */
export async function certificateWithAuthority(): Promise<{ authority: string; server: KeyPair }> {
  const authority = await generate([{ name: 'commonName', value: 'Rehearsal authority' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ...validity(),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const server = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ...validity(),
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
      LOOPBACK_NAMES,
    ],
  });
  return { authority: authority.cert, server: { certificate: server.cert, key: server.private } };
}
