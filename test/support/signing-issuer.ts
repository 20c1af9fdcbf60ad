/**
 * An OpenID issuer that only signs: HTTPS discovery and JWKS with an authority of its own, and ID
 * tokens for whomever a test asks, also such that the real issuer would never make.
 */
import type { webcrypto } from 'node:crypto';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { createCertificateAuthority } from '#runtime/certificates.ts';

/** What a token says; everything has a sound default. */
export type TokenClaims = {
  /** Public id of the workspace. */
  readonly audience: string;
  readonly subject: string;
  readonly groups: readonly string[];
  readonly lifetimeSeconds?: number;
  readonly issuedAt?: Date;
  readonly other?: JWTPayload;
};

/** A running issuer. */
export type SigningIssuer = AsyncDisposable & {
  readonly url: string;
  /** PEM. */
  readonly certificateAuthority: string;
  /** PEM of the public key, which some confused verifiers take for an HMAC secret. */
  readonly publicKey: string;
  readonly sign: (claims: TokenClaims) => Promise<string>;
  /** Signed with a key that is in no key set, under the right key id. */
  readonly signWithForeignKey: (claims: TokenClaims) => Promise<string>;
  /** The claims as the issuer would sign them. */
  readonly toPayload: (claims: TokenClaims) => JWTPayload;
};

const KEY_ID = 'test';

/** Listens on a free loopback port. */
export const startSigningIssuer = async (): Promise<SigningIssuer> => {
  const authority = await createCertificateAuthority('test issuer');
  const tls = await authority.sign({ commonName: 'issuer', hosts: ['127.0.0.1'], days: 1 });
  const keys = await generateKeyPair('ES256', { extractable: true });
  const foreign = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: KEY_ID, alg: 'ES256', use: 'sig' };
  let url = '';
  const answers: Record<string, () => object> = {
    '/.well-known/openid-configuration': () => ({
      issuer: url,
      jwks_uri: `${url}/jwks`,
      authorization_endpoint: `${url}/auth`,
      token_endpoint: `${url}/token`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    }),
    '/jwks': () => ({ keys: [jwk] }),
  };
  const server = createServer(
    { cert: tls.certificate, key: tls.privateKey },
    (request, response) => {
      const answer = answers[request.url ?? ''];
      response.writeHead(answer ? 200 : 404, {
        'content-type': 'application/json',
        'cache-control': 'public, max-age=60',
      });
      response.end(answer && JSON.stringify(answer()));
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const toPayload = (claims: TokenClaims): JWTPayload => {
    const iat = Math.floor((claims.issuedAt?.getTime() ?? Date.now()) / 1000);
    return {
      iss: url,
      aud: claims.audience,
      sub: claims.subject,
      groups: [...claims.groups],
      workspace: claims.audience,
      iat,
      exp: iat + (claims.lifetimeSeconds ?? 120),
      ...claims.other,
    };
  };
  const signWith = (key: webcrypto.CryptoKey) => (claims: TokenClaims) =>
    new SignJWT(toPayload(claims)).setProtectedHeader({ alg: 'ES256', kid: KEY_ID }).sign(key);
  return {
    url,
    certificateAuthority: authority.certificate,
    publicKey: await exportSPKI(keys.publicKey),
    sign: signWith(keys.privateKey),
    signWithForeignKey: signWith(foreign.privateKey),
    toPayload,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
