/**
 * An issuer as far as the API can tell: an HTTPS server under an authority of its own that serves a
 * JWKS (RFC 7517) and nothing else, and its signed access tokens (RFC 9068), good and bad.
 */
import {
  CompactSign,
  type CryptoKey,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import { createId, formatId } from '#domain/identifiers.ts';
import { createCertificateAuthority } from '#runtime/certificates.ts';
import { listen } from '#runtime/http-server.ts';

/** The audience of the API's access tokens in tests. */
export const API_AUDIENCE = 'https://api.example.test';

/** What a token says; what is left out is as the issuer would say it. */
export type TokenClaims = {
  /** A person (UUID). */
  readonly personId: string;
  readonly header?: Partial<JWTHeaderParameters>;
  readonly claims?: JWTPayload;
  readonly expiresInSeconds?: number;
};

/** The stand-in for an issuer. */
export type TokenIssuer = AsyncDisposable & {
  readonly url: string;
  /** PEM of the authority behind its certificate. */
  readonly certificateAuthority: string;
  readonly sign: (claims: TokenClaims, algorithm?: 'ES256' | 'RS256') => Promise<string>;
  /** Tokens that must be refused, by what is wrong with them. */
  readonly forgeries: (personId: string) => Promise<Readonly<Record<string, string>>>;
  /** How often the JWKS was fetched. */
  readonly fetches: () => number;
  /** From now on the JWKS is answered with this status. */
  readonly answerWith: (status: number) => void;
};

const KEY_ID = { ES256: 'key-es256', RS256: 'key-rs256' } as const;

/** Starts the stand-in; dispose of it in `afterAll`. */
export const startTokenIssuer = async (): Promise<TokenIssuer> => {
  const authority = await createCertificateAuthority('Test issuer CA');
  const tls = await authority.sign({ commonName: 'issuer', hosts: ['127.0.0.1'], days: 1 });
  const keys = {
    ES256: await generateKeyPair('ES256', { extractable: true }),
    RS256: await generateKeyPair('RS256', { extractable: true }),
  };
  const jwks = {
    keys: await Promise.all(
      (['ES256', 'RS256'] as const).map(async (alg) => ({
        ...(await exportJWK(keys[alg].publicKey)),
        alg,
        kid: KEY_ID[alg],
        use: 'sig',
      })),
    ),
  };
  let fetches = 0;
  let status = 200;
  const server = await listen(
    (request, response) => {
      if (request.url !== '/jwks') {
        response.writeHead(404).end();
        return;
      }
      fetches += 1;
      response.writeHead(status, { 'Content-Type': 'application/jwk-set+json' });
      response.end(JSON.stringify(jwks));
    },
    { host: '127.0.0.1', port: 0, tls },
  );
  const url = `https://127.0.0.1:${server.port}`;
  const sign: TokenIssuer['sign'] = (claims, alg = 'ES256') =>
    signToken(url, { alg, kid: KEY_ID[alg], key: keys[alg].privateKey }, claims);
  return {
    url,
    certificateAuthority: authority.certificate,
    sign,
    forgeries: (personId) => forge({ url, sign, rsaPublicKey: keys.RS256.publicKey, personId }),
    fetches: () => fetches,
    answerWith: (next) => {
      status = next;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
};

type SigningKey = {
  readonly alg: string;
  readonly kid: string;
  readonly key: CryptoKey | Uint8Array;
};

const signToken = (url: string, key: SigningKey, claims: TokenClaims): Promise<string> => {
  const now = Math.floor(Date.now() / 1000);
  const { personId, header, expiresInSeconds = 300 } = claims;
  return new SignJWT({
    iss: url,
    aud: API_AUDIENCE,
    sub: formatId('person', personId),
    client_id: 'hexabase-cli',
    scope: 'openid offline_access api',
    jti: createId(),
    iat: now + Math.min(0, expiresInSeconds - 300),
    exp: now + expiresInSeconds,
    ...claims.claims,
  })
    .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'at+jwt', ...header })
    .sign(key.key);
};

const forge = async (input: {
  url: string;
  sign: TokenIssuer['sign'];
  rsaPublicKey: CryptoKey;
  personId: string;
}): Promise<Record<string, string>> => {
  const { url, sign, personId } = input;
  const foreign = await generateKeyPair('ES256');
  const good = await sign({ personId });
  const [header = '', payload = '', signature = ''] = good.split('.');
  const tampered = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as JWTPayload;
  const now = Math.floor(Date.now() / 1000);
  const unsecured = {
    sub: formatId('person', personId),
    iss: url,
    aud: API_AUDIENCE,
    exp: now + 300,
  };
  const publicKey = new TextEncoder().encode(await exportSPKI(input.rsaPublicKey));
  return {
    expired: await sign({ personId, expiresInSeconds: -60 }),
    'without expiry': await sign({ personId, claims: { exp: undefined } as unknown as JWTPayload }),
    'without subject': await sign({
      personId,
      claims: { sub: undefined } as unknown as JWTPayload,
    }),
    'of another issuer': await sign({ personId, claims: { iss: 'https://issuer.example' } }),
    'for another audience': await sign({
      personId,
      claims: { aud: formatId('workspace', createId()) },
    }),
    'ID token': await sign({ personId, header: { typ: 'JWT' } }),
    'ID token of a workspace': await sign({
      personId,
      header: { typ: 'JWT' },
      claims: { aud: formatId('workspace', createId()), groups: ['WSAdmins'] },
    }),
    'without the scope': await sign({ personId, claims: { scope: 'openid' } }),
    'of an unknown person': await sign({ personId: createId() }),
    'for something that is no person': await sign({ personId, claims: { sub: 'root' } }),
    'alg none': new UnsecuredJWT(unsecured).encode(),
    'alg none, typed': `${encode({ alg: 'none', typ: 'at+jwt' })}.${payload}.`,
    unsigned: `${header}.${payload}.`,
    'signature of another token': `${header}.${encode({ ...tampered, sub: formatId('person', createId()) })}.${signature}`,
    'HS256 with the public key': await signToken(
      url,
      { alg: 'HS256', kid: KEY_ID.RS256, key: publicKey },
      { personId },
    ),
    'foreign key': await signToken(
      url,
      { alg: 'ES256', kid: KEY_ID.ES256, key: foreign.privateKey },
      { personId },
    ),
    'foreign key, unknown kid': await signToken(
      url,
      { alg: 'ES256', kid: 'mine', key: foreign.privateKey },
      { personId },
    ),
    'not JSON inside': await new CompactSign(Buffer.from('[]'))
      .setProtectedHeader({ alg: 'ES256', kid: KEY_ID.ES256, typ: 'at+jwt' })
      .sign(foreign.privateKey),
    garbage: 'not.a.token',
  };
};

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
