/**
 * Verifies the issuer's access tokens (JWT, RFC 9068): signature by a key of the issuer's, `typ`
 * at+jwt so that an ID token can't pass, issuer, audience, expiry.
 */
import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type FetchImplementation,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import { Agent, fetch, type RequestInit as UndiciRequestInit } from 'undici';
import { parseId } from '#domain/identifiers.ts';
import type { Issuer } from './context.ts';
import { PROBLEMS, Problem } from './problems.ts';
import type { RevokedKeys } from './revoked-keys.ts';
import { createVerifiedTokens } from './verified-tokens.ts';

/** Verifies tokens; disposing of it closes its connections to the issuer. */
export type AccessTokenVerifier = AsyncDisposable & {
  /**
   * @returns the person (UUID) whom the token speaks for
   * @throws Problem invalid-token, or issuer-unavailable when the issuer's keys can't be fetched
   */
  readonly verify: (token: string) => Promise<string>;
};

/** What {@link createAccessTokenVerifier} needs. */
export type AccessTokenVerifierOptions = {
  readonly issuer: Issuer;
  /** The API's own audience. */
  readonly audience: string;
  /** Keys whose tokens are refused although the issuer's keys were read before they were revoked. */
  readonly revokedKeys?: RevokedKeys | undefined;
};

// A key that was removed from the issuer is no longer accepted after both together, a minute.
const KEYS_MAX_AGE_MS = 50_000;
const VERIFIED_MAX_AGE_MS = 10_000;
const MAX_VERIFIED_TOKENS = 10_000;
/** The scope of the API's access tokens (RFC 9068, 2.2.3). */
const SCOPE = 'api';
const REVOKED = 'The key that signed it was revoked. Get a new one, or sign in again.';
const KEYS_TIMEOUT_MS = 5_000;
const CLOCK_TOLERANCE_SECONDS = 5;
const RETRY_AFTER_SECONDS = '5';

/** Fetches the issuer's keys when the first token comes, and again when they have grown old. */
export const createAccessTokenVerifier = ({
  issuer,
  audience,
  revokedKeys,
}: AccessTokenVerifierOptions): AccessTokenVerifier => {
  const agent = new Agent(
    issuer.certificateAuthority === undefined
      ? {}
      : { connect: { ca: issuer.certificateAuthority } },
  );
  const getKey = createGetKey(new URL('/jwks', issuer.url), agent);
  const verified = createVerifiedTokens({
    maxAgeMs: VERIFIED_MAX_AGE_MS,
    maxTokens: MAX_VERIFIED_TOKENS,
  });
  revokedKeys?.onRevoked(verified.clear);
  const verify = async (token: string): Promise<string> => {
    const { payload, protectedHeader } = await jwtVerify(token, getKey, {
      algorithms: ['ES256', 'RS256'],
      typ: 'at+jwt',
      issuer: issuer.url,
      audience,
      requiredClaims: ['exp', 'sub'],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
    }).catch((error: unknown) => {
      throw toProblem(error);
    });
    if (revokedKeys?.has(protectedHeader.kid)) throw invalidToken(REVOKED);
    const personId = readPerson(payload);
    verified.remember(token, personId, (payload.exp ?? 0) * 1000);
    return personId;
  };
  return {
    verify: async (token) => verified.find(token) ?? verify(token),
    [Symbol.asyncDispose]: () => agent.close(),
  };
};

const readPerson = (payload: JWTPayload): string => {
  const scopes = String(payload['scope'] ?? '').split(' ');
  if (!scopes.includes(SCOPE)) throw invalidToken(`It lacks the scope "${SCOPE}".`);
  const personId = parseId('person', payload.sub ?? '');
  if (personId === undefined) throw invalidToken('Its subject is not a person.');
  return personId;
};

/** The answer to a token that isn't valid (RFC 6750 §3.1). */
export const invalidToken = (detail: string, cause?: unknown): Problem =>
  new Problem(PROBLEMS.invalidToken, detail, {
    cause,
    headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
  });

class KeysUnavailable extends Error {}

const createGetKey = (url: URL, dispatcher: Agent): JWTVerifyGetKey => {
  // undici's own fetch, because only it is sure to understand this undici's agent.
  const fetchKeys = ((address: string, init: UndiciRequestInit) =>
    fetch(address, { ...init, dispatcher })) as unknown as FetchImplementation;
  const keys = createRemoteJWKSet(url, {
    cacheMaxAge: KEYS_MAX_AGE_MS,
    timeoutDuration: KEYS_TIMEOUT_MS,
    [customFetch]: fetchKeys,
  });
  return async (header, token) => {
    try {
      return await keys(header, token);
    } catch (error) {
      const ofToken =
        error instanceof errors.JWKSNoMatchingKey ||
        error instanceof errors.JWKSMultipleMatchingKeys ||
        error instanceof errors.JOSENotSupported;
      if (ofToken) throw error;
      throw new KeysUnavailable('the issuer’s keys could not be fetched', { cause: error });
    }
  };
};

const toProblem = (error: unknown): unknown => {
  if (error instanceof errors.JWTExpired) return invalidToken('It has expired.', error);
  if (error instanceof errors.JOSEError || error instanceof TypeError) {
    return invalidToken(
      'It must be an access token for this API, signed by the issuer, and not expired.',
      error,
    );
  }
  if (!(error instanceof KeysUnavailable)) return error;
  return new Problem(
    PROBLEMS.issuerUnavailable,
    'The issuer’s keys can’t be fetched. Try again in a few seconds.',
    { cause: error, headers: { 'Retry-After': RETRY_AFTER_SECONDS } },
  );
};
