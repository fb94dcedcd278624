/** What keeps a worker from starting, and is for whoever starts it to mend: told in a sentence, without a stack trace. */
export class StartError extends Error {
  override readonly name: string = 'StartError';
}
