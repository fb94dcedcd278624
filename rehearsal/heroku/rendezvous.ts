import { writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { certificateWithAuthority } from '../certificates.ts';

/** The client's side of a one-off dyno. */
export interface RendezvousClient {
  readonly socket: TLSSocket;
  /** What the client had already sent behind its secret. */
  readonly early: Buffer;
}

export interface Rendezvous {
  /** `rendezvous://HOST:PORT/SECRET` */
  urlOf(secret: string): string;
  /** Hands over the client that comes with this secret; it is good once. The answer takes the offer back. */
  expect(secret: string, accept: (client: RendezvousClient) => void): () => void;
  stop(): Promise<void>;
}

const SECRET_LIMIT = 200;

/**
 * The server that `heroku run` connects to. It is TLS, and the client checks the certificate against the host [seen].
 * The client sends `SECRET\r\n`, the server answers `rendezvous\r\n`, and from there on bytes go through as they are;
 * no exit status is ever sent [seen].
 */
export async function startRendezvous(caFile: string): Promise<Rendezvous> {
  const { authority, server: pair } = await certificateWithAuthority();
  await writeFile(caFile, authority);
  const expected = new Map<string, (client: RendezvousClient) => void>();
  const sockets = new Set<TLSSocket>();
  const server = createServer({ cert: pair.certificate, key: pair.key }, (socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    let received = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk]);
      const end = received.indexOf('\r\n');
      if (end === -1) {
        if (received.length > SECRET_LIMIT) socket.destroy();
        return;
      }
      socket.off('data', onData);
      const secret = received.subarray(0, end).toString('latin1');
      const accept = expected.get(secret);
      if (!accept) {
        socket.destroy();
        return;
      }
      expected.delete(secret);
      socket.pause();
      const early = received.subarray(end + 2);
      // A write of its own: the CLI drops the whole first chunk that it receives [seen]. Each write is a TLS record of
      // its own, and the dyno's output starts only when this one has been handed to the network.
      socket.write('rendezvous\r\n', () => accept({ socket, early }));
    };
    socket.on('data', onData);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    urlOf: (secret) => `rendezvous://127.0.0.1:${port}/${secret}`,
    expect: (secret, accept) => {
      expected.set(secret, accept);
      return () => void expected.delete(secret);
    },
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
