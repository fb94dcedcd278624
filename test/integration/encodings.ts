/** The forms in which a secret may turn up: as it is, as a part of a URL, and in Base64. */
export function encodings(secret: string): string[] {
  return [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64').replace(/=+$/, '')];
}
