/**
 * The forms in which a secret may turn up: as it is, as a part of a URL, escaped by JSON, and in Base64, wherever in
 * the encoded bytes it begins. Made by other means than the worker's own search, which they check.
 */
export function encodings(secret: string): string[] {
  const written = [secret, encodeURIComponent(secret), encodeURI(secret), JSON.stringify(secret).slice(1, -1)];
  return [...new Set([...written, ...written.flatMap(inBase64)])];
}

function inBase64(text: string): string[] {
  const forms = ['', '>', '>>'].flatMap((before) => {
    // Three bytes are four characters: without the first and the last four, what stands around does not matter.
    const whole = Buffer.from(`${before}${text}`).toString('base64');
    return whole.slice(before === '' ? 0 : 4, whole.length - 4);
  });
  return [...forms, ...forms.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'))];
}
