/** A small HTTPS server on a free loopback port, with an authority of its own, for stand-ins of tests. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createCertificateAuthority } from '#runtime/certificates.ts';

/** A running server. */
export type HttpsServer = AsyncDisposable & {
  /** Its origin. */
  readonly url: string;
  /** PEM of the authority that signed its certificate. */
  readonly ca: string;
};

/** Listens on 127.0.0.1; disposing of it cuts all connections, the hanging ones too. */
export const startHttpsServer = async (handler: RequestListener): Promise<HttpsServer> => {
  // Of two authorities of the same name, whoever trusts both tries only one.
  const authority = await createCertificateAuthority(`test server ${randomUUID()}`);
  const tls = await authority.sign({ commonName: 'server', hosts: ['127.0.0.1'], days: 1 });
  const server = createServer({ cert: tls.certificate, key: tls.privateKey }, handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ca: authority.certificate,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

/** The fields of a form, or of a JSON object with strings, that was posted. */
export const readFields = async (request: IncomingMessage): Promise<URLSearchParams> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return request.headers['content-type']?.startsWith('application/json')
    ? new URLSearchParams(JSON.parse(text) as Record<string, string>)
    : new URLSearchParams(text);
};

/** RFC 7636 §4.6 with S256, the only method that these servers know. */
export const matchesChallenge = async (
  verifier: string | null,
  challenge: string | null,
): Promise<boolean> => {
  if (challenge === null) return verifier === null;
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier ?? ''));
  return verifier !== null && Buffer.from(digest).toString('base64url') === challenge;
};
