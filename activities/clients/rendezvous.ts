import { connect } from 'node:tls';
import { currentScope } from '../scope.ts';
import { NoAnswerError } from './errors.ts';
import { requestTimeoutMs } from './http.ts';

/** What the platform sends first; after it come the dyno's own bytes. */
const greeting = 'rendezvous\r\n';
/** Bytes of output that are kept: enough for any migration, and a bound on what a runaway dyno can cost. */
const outputLimit = 4 * 1024 * 1024;

/**
 * Takes the output of a one-off dyno until it ends. Standard output and standard error arrive merged, and the protocol
 * has no exit status [seen: official CLI 11.10.0].
 *
 * @param attachUrl `rendezvous://HOST:PORT/SECRET`
 * @param onOutput called with each chunk as it comes
 * @param timeoutMs milliseconds in which the platform must greet
 * @throws NoAnswerError when the stream was never greeted or broke; the dyno's outcome is then unknown
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
    socket.once('error', lost);
    socket.once('close', () => {
      signal.removeEventListener('abort', stop);
      if (greeted) resolve(received);
      else lost(new Error('the stream was closed before it was greeted'));
    });
  });
}
