/** Listening and draining, the same for every service. */
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** What {@link listen} needs. */
export type ListenOptions = {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** With it the server speaks HTTPS; PEM. */
  readonly tls?: { readonly certificate: string; readonly privateKey: string } | undefined;
};

/** A server that listens. */
export type ListeningServer = AsyncDisposable & { readonly port: number };

const DRAIN_MS = 10_000;

/**
 * Listens, and on disposal takes no new connection, lets running requests end for ten seconds and
 * then cuts what is left.
 *
 * @throws when the address is taken or not allowed
 */
export const listen = async (
  handler: RequestListener,
  { host, port, tls }: ListenOptions,
): Promise<ListeningServer> => {
  const server: Server = tls
    ? createHttpsServer(
        { cert: tls.certificate, key: tls.privateKey, minVersion: 'TLSv1.2' },
        handler,
      )
    : createHttpServer(handler);
  server.requestTimeout = 30_000;
  server.headersTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => drain(server),
  };
};

const drain = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
