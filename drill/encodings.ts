const prefixes = ['', '>', '>>'];
const urlSafe = (base64: string): string => base64.replaceAll('+', '-').replaceAll('/', '_');
const texts = (secret: string): string[] => [
  ...new Set([secret, encodeURIComponent(secret), encodeURI(secret), JSON.stringify(secret).slice(1, -1)]),
];
const inBase64 = (text: string): string[] =>
  prefixes.flatMap((before) => {
    const whole = Buffer.from(`${before}${text}`).toString('base64');
    return [whole, urlSafe(whole)];
  });

/** A secret as careless code could write it: as it is, in a URL, escaped by JSON, and in Base64 behind other bytes. */
export function writings(secret: string): string[] {
  return [...new Set([...texts(secret), ...texts(secret).flatMap(inBase64)])];
}

/**
 * What is in a text wherever one of those writings is, whatever stands beside it. Made by other means than the worker's
 * own search, which it checks.
 */
export function encodings(secret: string): string[] {
  // Three bytes are four characters: without the first and the last four, what stood around does not matter.
  const cut = (base64: string, index: number): string => base64.slice(index < 2 ? 0 : 4, base64.length - 4);
  return [...new Set([...texts(secret), ...texts(secret).flatMap((text) => inBase64(text).map(cut))])];
}
