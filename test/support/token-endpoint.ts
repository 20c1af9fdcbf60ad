/** The token endpoint of a test issuer, asked as programs with curl do. */
import { randomUUID } from 'node:crypto';
import {
  createLocalJWKSet,
  importJWK,
  type JSONWebKeySet,
  type JWK,
  type JWTPayload,
  jwtVerify,
  SignJWT,
} from 'jose';
import { Agent, fetch } from 'undici';
import type { TestIssuer } from './issuer.ts';

/** RFC 7523 §2.2. */
export const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** RFC 8693. */
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** An answer of the endpoint. */
export type TokenReply = {
  readonly status: number;
  readonly body: Readonly<Record<string, string>>;
};

/** A token endpoint; dispose of it to close its connections. */
export type TokenEndpoint = AsyncDisposable & {
  readonly ask: (
    parameters: Readonly<Record<string, string>>,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<TokenReply>;
  /** A token's content, verified with the published keys. */
  readonly read: (token: string | undefined) => Promise<JWTPayload>;
};

/** The endpoint of an issuer. */
export const tokenEndpointOf = ({
  issuerUrl,
  ca,
}: Pick<TestIssuer, 'issuerUrl' | 'ca'>): TokenEndpoint => {
  const agent = new Agent({ connect: { ca } });
  return {
    ask: async (parameters, headers = {}) => {
      const response = await fetch(`${issuerUrl}/token`, {
        method: 'POST',
        body: new URLSearchParams(parameters),
        headers,
        dispatcher: agent,
      });
      return { status: response.status, body: (await response.json()) as Record<string, string> };
    },
    read: async (token = '') => {
      const response = await fetch(`${issuerUrl}/jwks`, { dispatcher: agent });
      const keys = createLocalJWKSet((await response.json()) as JSONWebKeySet);
      return (await jwtVerify(token, keys, { issuer: issuerUrl })).payload;
    },
    [Symbol.asyncDispose]: () => agent.close(),
  };
};

/** HTTP Basic of a client (RFC 6749 §2.3.1). */
export const basicAuth = (clientId: string, secret: string): Record<string, string> => ({
  Authorization: `Basic ${Buffer.from(`${clientId}:${encodeURIComponent(secret)}`).toString('base64')}`,
});

/** A signed assertion of a client (RFC 7523). @param key a private key with `alg` */
export const signAssertion = async (
  { clientId, audience, key }: { clientId: string; audience: string; key: JWK },
  claims: JWTPayload = {},
): Promise<string> => {
  const now = Math.floor(Date.now() / 1000);
  const usual = { iss: clientId, sub: clientId, aud: audience, jti: randomUUID() };
  return new SignJWT({ ...usual, iat: now, exp: now + 60, ...claims })
    .setProtectedHeader({ alg: key.alg as string, ...(key.kid && { kid: key.kid }) })
    .sign(await importJWK(key, key.alg));
};
