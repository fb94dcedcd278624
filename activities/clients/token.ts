/** A token, or who tells it: asked before each request, for it may be replaced while the worker runs. */
export type Token = string | (() => string);

/** The token as it is when it is asked for. */
export function tellerOf(token: Token): () => string {
  return typeof token === 'function' ? token : () => token;
}
