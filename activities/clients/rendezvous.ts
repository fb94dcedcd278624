import { connect } from 'node:tls';
import { currentScope } from '../scope.ts';
import { NoAnswerError } from './errors.ts';
import { requestTimeoutMs } from './http.ts';

/** What the platform sends first; after it come the dyno's own bytes. */
const greeting = 'rendezvous\r\n';
/** Bytes of output that are kept: enough for any migration, and a bound on what a runaway dyno can cost. */
const outputLimit = 4 * 1024 * 1024;
/** Milliseconds of silence after which the connection is tried. */
const keepAliveMs = 30_000;

/**
 * Takes the output of a one-off dyno until it ends. Standard output and standard error arrive merged, and the protocol
 * has no exit status [seen: official CLI 11.10.0].
 *
 * @param attachUrl `rendezvous://HOST:PORT/SECRET`
 * @param onOutput called with each chunk as it comes
 * @param timeoutMs milliseconds in which the platform must greet
 * @returns what came until the stream ended or broke: the protocol does not tell the two apart
 * @throws NoAnswerError when the stream was never greeted
 */
export function takeOutput(
  attachUrl: string,
  onOutput: (chunk: string) => void,
  timeoutMs = requestTimeoutMs,
): Promise<string> {
  const { hostname, port, pathname } = new URL(attachUrl);
  const { signal } = currentScope();
  return new Promise((resolve, reject) => {
    let received = '';
    let greeted = false;
    // The certificate is checked against the host, as the official CLI does.
    const socket = connect({
      host: hostname,
      port: Number(port),
      servername: hostname.match(/[a-z]/i) ? hostname : '',
    });
    const lost = (cause: unknown): void => {
      socket.destroy();
      reject(new NoAnswerError('Heroku rendezvous', "the dyno's stream", cause));
    };
    const stop = (): void => {
      socket.destroy();
      reject(signal.reason as Error);
    };
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    socket.setEncoding('utf8');
    // A migration may print nothing for an hour; without this, a peer that is gone would not be noticed either.
    socket.setKeepAlive(true, keepAliveMs);
    socket.setTimeout(timeoutMs, () => greeted || lost(new Error(`no greeting within ${timeoutMs / 1000} s`)));
    socket.once('secureConnect', () => socket.write(`${pathname.slice(1)}\r\n`));
    socket.on('data', (chunk: string) => {
      received = (received + chunk).slice(-outputLimit);
      if (!greeted && received.startsWith(greeting)) {
        greeted = true;
        received = received.slice(greeting.length);
        if (received === '') return;
      }
      if (greeted) onOutput(chunk);
    });
    // Behind a greeting, a stream that breaks has ended: `close` follows.
    socket.once('error', (error) => greeted || lost(error));
    socket.once('close', () => {
      signal.removeEventListener('abort', stop);
      if (greeted) resolve(received);
      else lost(new Error('the stream was closed before it was greeted'));
    });
  });
}
