import { randomInt } from 'node:crypto';
import { connect, createServer } from 'node:net';

/** A port of 127.0.0.1 that nobody listens on now. Somebody may by the time it is used: be ready to ask again. */
export function freePort(): Promise<number> {
  return listenOnce(0);
}

/** As `freePort`, from a range of one's own, the upper end excluded. */
export async function freePortBetween(from: number, to: number): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await listenOnce(randomInt(from, to));
    } catch (error) {
      if (attempt === 20) throw error;
    }
  }
}

async function listenOnce(port: number): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port was given');
  return address.port;
}

/** Whether something on this machine takes connections on the port. */
export function portAnswers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}
