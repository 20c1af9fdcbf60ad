/** A web client's back channel over real HTTPS: receives logout tokens and verifies them as it must. */

import { text as readAll } from 'node:stream/consumers';
import { createLocalJWKSet, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import { Agent, fetch } from 'undici';
import type { CertificateAuthority } from '#runtime/certificates.ts';
import { listen } from '#runtime/http-server.ts';

/** A running receiver. */
export type LogoutReceiver = AsyncDisposable & {
  /** Its `backchannel_logout_uri`. */
  readonly address: string;
  /** The form of each request, in the order in which they came. */
  readonly received: { readonly contentType: string; readonly token: string }[];
  /** How it answers from now on. */
  answer: { status: number; location?: string };
};

/** Starts it on a free port. */
export const startLogoutReceiver = async (
  authority: CertificateAuthority,
): Promise<LogoutReceiver> => {
  const tls = await authority.sign({ commonName: 'console', hosts: ['localhost'], days: 1 });
  const received: LogoutReceiver['received'] = [];
  const state: { answer: LogoutReceiver['answer'] } = { answer: { status: 204 } };
  const server = await listen(
    async (request, response) => {
      const form = new URLSearchParams(await readAll(request));
      received.push({
        contentType: request.headers['content-type'] ?? '',
        token: form.get('logout_token') ?? '',
      });
      const { status, location } = state.answer;
      response.writeHead(status, location === undefined ? {} : { location }).end();
    },
    { host: 'localhost', port: 0, tls },
  );
  return {
    address: `https://localhost:${server.port}/back-channel-logout`,
    received,
    get answer() {
      return state.answer;
    },
    set answer(answer) {
      state.answer = answer;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
};

/**
 * Verifies a logout token (OpenID Connect Back-Channel Logout 1.0 §2.6).
 *
 * @throws when a client would have to refuse it
 */
export const verifyLogoutToken = async (
  issuer: { readonly issuerUrl: string; readonly ca: string },
  clientId: string,
  token: string,
): Promise<JWTPayload & { readonly sid: string }> => {
  const agent = new Agent({ connect: { ca: issuer.ca } });
  try {
    const answer = await fetch(`${issuer.issuerUrl}/jwks`, { dispatcher: agent });
    const keys = createLocalJWKSet((await answer.json()) as JSONWebKeySet);
    const { payload } = await jwtVerify(token, keys, {
      issuer: issuer.issuerUrl,
      audience: clientId,
      typ: 'logout+jwt',
      requiredClaims: ['iat', 'exp', 'jti', 'events', 'sid'],
    });
    if ('nonce' in payload) throw new Error('a logout token has no nonce');
    const events = payload['events'] as Record<string, unknown>;
    if (!events['http://schemas.openid.net/event/backchannel-logout']) {
      throw new Error('the token is not of a logout');
    }
    return payload as JWTPayload & { sid: string };
  } finally {
    await agent.close();
  }
};
