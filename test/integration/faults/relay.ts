import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** Passes the bytes of a TLS connection through, as the network does, and can lose it. */
export interface Relay {
  readonly port: number;
  /** The next connection is lost as soon as it is made. */
  loseNext(): void;
  /** Loses every connection that is open. */
  loseAll(): void;
  stop(): Promise<void>;
}

/** @param target answers the port that a connection is for, at the time when it is made */
export async function startRelay(target: () => number): Promise<Relay> {
  const sockets = new Set<Socket>();
  let losesNext = false;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    if (losesNext) {
      losesNext = false;
      socket.resetAndDestroy();
      return;
    }
    const upstream = connect(target(), '127.0.0.1');
    upstream.on('error', () => socket.destroy());
    for (const one of [socket, upstream]) {
      sockets.add(one);
      one.once('close', () => sockets.delete(one));
    }
    socket.once('close', () => upstream.destroy());
    upstream.once('close', () => socket.destroy());
    socket.pipe(upstream).pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const loseAll = (): void => sockets.forEach((socket) => socket.resetAndDestroy());
  return {
    port: (server.address() as AddressInfo).port,
    loseNext: () => void (losesNext = true),
    loseAll,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      loseAll();
      await closed;
    },
  };
}
