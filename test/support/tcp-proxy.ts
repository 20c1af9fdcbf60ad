/** A TCP proxy that can be a bad network: resets connections, or swallows what goes over them. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A running proxy. */
export type TcpProxy = AsyncDisposable & {
  readonly port: number;
  /** Resets (RST) every open connection. */
  readonly reset: () => void;
  /** From now on nothing passes and nothing says so, until `reset` or `resume`. */
  readonly freeze: () => void;
  readonly resume: () => void;
};

/** Forwards a free loopback port to another. */
export const startTcpProxy = async (target: number): Promise<TcpProxy> => {
  const sockets = new Set<Socket>();
  let frozen = false;
  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    return socket;
  };
  const forward = (from: Socket, to: Socket): void => {
    from.on('data', (chunk) => {
      if (!frozen) to.write(chunk);
    });
    from.on('close', () => to.destroy());
  };
  const server = createServer((client) => {
    const upstream = track(connect(target, '127.0.0.1'));
    forward(track(client), upstream);
    forward(upstream, client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const reset = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    reset,
    freeze: () => {
      frozen = true;
    },
    resume: () => {
      frozen = false;
    },
    [Symbol.asyncDispose]: async () => {
      reset();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
