import { connect as connectHttp2, constants, createSecureServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { certificateWithAuthority, type KeyPair } from '../../rehearsal/certificates.ts';

/** A door with TLS before the test run's Temporal server, which by itself lets everybody in. */
export interface GuardedTemporal {
  readonly address: string;
  /** PEM of the CA that signed the door's certificate, and which client certificates must come from. */
  readonly authority: string;
  /** A certificate that the door takes where it wants one. */
  readonly client: KeyPair;
  /** From now on this key is the right one. */
  changeKey(apiKey: string): void;
  close(): Promise<void>;
}

/**
 * Answers as a Temporal server with an authorizer does: gRPC status 16 to whoever brings no right key.
 *
 * @param apiKey the right one; without it, a client certificate of the authority is wanted instead
 */
export async function guardTemporal(temporal: string, apiKey?: string): Promise<GuardedTemporal> {
  const { authority, server: pair } = await certificateWithAuthority();
  let right = apiKey;
  const upstream = connectHttp2(`http://${temporal}`);
  upstream.on('error', () => undefined);
  const server = createSecureServer({
    key: pair.key,
    cert: pair.certificate,
    ca: authority,
    requestCert: apiKey === undefined,
    rejectUnauthorized: apiKey === undefined,
  });
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => {
    sessions.add(session.on('error', () => undefined));
  });
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => undefined);
    if (right !== undefined && headers.authorization !== `Bearer ${right}`) {
      stream.respond(
        {
          ':status': 200,
          'content-type': 'application/grpc',
          'grpc-status': '16',
          'grpc-message': 'Request unauthorized.',
        },
        { endStream: true },
      );
      return;
    }
    const { [constants.HTTP2_HEADER_AUTHORITY]: _host, [constants.HTTP2_HEADER_SCHEME]: _scheme, ...rest } = headers;
    const onward = upstream.request({ ...rest, ':scheme': 'http', ':authority': temporal });
    onward.on('error', () => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
    stream.on('close', () => onward.close());
    let trailers: Record<string, unknown> = {};
    onward.on('trailers', (found) => (trailers = withoutPseudo(found)));
    onward.on('response', (found, flags) => {
      const endStream = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      stream.respond(found, { endStream, waitForTrailers: !endStream });
      stream.on('wantTrailers', () => stream.sendTrailers(trailers as never));
      if (!endStream) onward.pipe(stream);
    });
    stream.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `localhost:${(server.address() as AddressInfo).port}`,
    authority,
    client: pair,
    changeKey: (next) => (right = next),
    async close() {
      upstream.destroy();
      sessions.forEach((session) => session.destroy());
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function withoutPseudo(headers: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(':')));
}
