import type { DynoProcess } from './dyno-process.ts';
import type { Rendezvous, RendezvousClient } from './rendezvous.ts';

/** End of input on a connection that cannot be half closed [seen]. */
const END_OF_INPUT = 0x04;

/** An attached one-off dyno's client, once it is there. */
export interface Session {
  /** Bytes both ways, as they are. */
  connect(process: DynoProcess): void;
  /** Called when the client goes away before finish(). */
  onLeave(leave: () => void): void;
  finish(): void;
}

/** Waits for the client that holds the secret; undefined when it does not come in time, or the dyno is stopped. */
export function joinClient(
  rendezvous: Rendezvous,
  secret: string,
  limitMs: number,
  stopped: AbortSignal,
): Promise<Session | undefined> {
  return new Promise((resolve) => {
    const settle = (client: RendezvousClient | undefined): void => {
      clearTimeout(limit);
      stopped.removeEventListener('abort', giveUp);
      takeBack();
      resolve(client && sessionOf(client));
    };
    const giveUp = (): void => settle(undefined);
    const limit = setTimeout(giveUp, limitMs);
    const takeBack = rendezvous.expect(secret, settle);
    stopped.addEventListener('abort', giveUp, { once: true });
    if (stopped.aborted) giveUp();
  });
}

function sessionOf({ socket, early }: RendezvousClient): Session {
  let gone = socket.destroyed;
  let finished = false;
  let leave: (() => void) | undefined;
  socket.once('close', () => {
    gone = true;
    if (!finished) leave?.();
  });
  return {
    onLeave: (callback) => {
      leave = callback;
      if (gone) callback();
    },
    connect: (process) => {
      let open = true;
      const take = (chunk: Buffer): void => {
        if (!open) return;
        const end = chunk.indexOf(END_OF_INPUT);
        open = end === -1;
        const input = open ? chunk : chunk.subarray(0, end);
        if (input.length > 0) process.input?.write(input);
        if (!open) process.input?.end();
      };
      if (early.length > 0) take(early);
      socket.on('data', take);
      socket.resume();
      process.output.pipe(socket, { end: false });
    },
    finish: () => {
      finished = true;
      // Gives what was written its time to arrive, and does not wait for ever for a client that never closes.
      socket.end();
      socket.setTimeout(1_000, () => socket.destroy());
    },
  };
}
