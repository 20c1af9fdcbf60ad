/** Whether another issuer's token is a service account's: its signature, whom it is for, its times, its claims. */
import { createHash } from 'node:crypto';
import {
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  type JSONWebKeySet,
  type JWTPayload,
  errors as joseErrors,
  jwtVerify,
} from 'jose';
import { errors, type Provider } from 'oidc-provider';
import type { CommonQueryMethods } from 'slonik';
import { matchesConditions } from '#domain/claim-conditions.ts';
import { CLOCK_SKEW_SECONDS } from '#domain/staleness.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import { type FederatedCredential, listFederatedCredentials } from './queries.ts';

const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'];
const LONGEST_TOKEN_SECONDS = 86_400;
const LONGEST_TOKEN = 16_384;

/** What {@link recognizeWorkload} needs. */
export type WorkloadDeps = {
  readonly provider: Provider;
  readonly issuerUrl: string;
  readonly database: CommonQueryMethods;
  readonly issuerKeys: IssuerKeys;
};

/**
 * The federated credential by which a token is the service account's. Only issuers that it trusts are ever
 * asked for keys.
 *
 * @param accountId UUID
 * @throws InvalidRequest, as RFC 8693 §2.2.2 has it for a subject token that is invalid or not acceptable
 */
export const recognizeWorkload = async (
  deps: WorkloadDeps,
  accountId: string,
  token: string,
): Promise<FederatedCredential> => {
  const { iss } = readClaims(token);
  const credentials =
    iss === undefined || iss === deps.issuerUrl
      ? []
      : await listFederatedCredentials(deps.database, accountId, iss);
  if (credentials.length === 0) throw refuse('the service account trusts no such issuer');
  const reasons: string[] = [];
  for (const credential of credentials) {
    const outcome = await judge(deps, credential, token);
    if (typeof outcome !== 'string') return takeOnce(deps, outcome, credential, token);
    reasons.push(outcome);
  }
  throw refuse([...new Set(reasons)].join('; '));
};

const refuse = (reason: string): Error =>
  new errors.InvalidRequest(`the subject token is refused: ${reason}`);

const readClaims = (token: string): JWTPayload => {
  if (token.length > LONGEST_TOKEN) throw refuse('it is too long');
  try {
    return decodeJwt(token);
  } catch {
    throw refuse('it is no signed JWT');
  }
};

/** The verified claims, or why they don't count. */
const judge = async (
  { issuerKeys }: WorkloadDeps,
  credential: FederatedCredential,
  token: string,
): Promise<JWTPayload | string> => {
  const keys = credential.jwks ?? (await readKeys(issuerKeys, credential.issuer, token));
  if (typeof keys === 'string') return keys;
  const payload = await verify(token, keys as unknown as JSONWebKeySet, credential);
  if (typeof payload === 'string') return payload;
  const { iat = 0, exp = 0 } = payload;
  if (exp - iat > LONGEST_TOKEN_SECONDS) return 'it lives longer than a day';
  return matchesConditions(credential.claims, payload) ? payload : 'its claims meet no condition';
};

const readKeys = (
  issuerKeys: IssuerKeys,
  issuer: string,
  token: string,
): Promise<JSONWebKeySet | string> => {
  const { kid } = decodeProtectedHeader(token);
  return issuerKeys
    .read(issuer, ({ keys }) => kid === undefined || keys.some((key) => key.kid === kid))
    .catch(() => 'the keys of its issuer can’t be read');
};

const verify = async (
  token: string,
  keys: JSONWebKeySet,
  { issuer, audience }: FederatedCredential,
): Promise<JWTPayload | string> => {
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet(keys), {
      issuer,
      algorithms: ALGORITHMS,
      requiredClaims: ['exp', 'iat', 'aud'],
      clockTolerance: CLOCK_SKEW_SECONDS,
    });
    const audiences = [payload.aud].flat();
    if (audiences.length !== 1 || audiences[0] !== audience)
      return `it is not for ${audience} alone`;
    const isEarly = (payload.iat ?? 0) > Date.now() / 1000 + CLOCK_SKEW_SECONDS;
    return isEarly ? 'it is from the future' : payload;
  } catch (error) {
    // All that can be wrong with a token or key; anything else is a fault of ours.
    if (error instanceof joseErrors.JOSEError) return describe(error);
    if (error instanceof TypeError) return 'its signature can’t be verified';
    throw error;
  }
};

const describe = (error: joseErrors.JOSEError): string => {
  if (error instanceof joseErrors.JWTExpired) return 'it has expired';
  if (error instanceof joseErrors.JWTClaimValidationFailed)
    return `its ${error.claim} is not right`;
  return 'its signature can’t be verified';
};

const takeOnce = async (
  { provider }: WorkloadDeps,
  { iss = '', exp = 0 }: JWTPayload,
  credential: FederatedCredential,
  token: string,
): Promise<FederatedCredential> => {
  if (!credential.single_use) return credential;
  // Of the signed part: a signature by ECDSA has two forms.
  const signed = token.slice(0, token.lastIndexOf('.'));
  const id = createHash('sha256').update(signed).digest('base64url');
  const isFirst = await provider.ReplayDetection.unique(
    `workload:${iss}`,
    `${credential.id}:${id}`,
    exp + CLOCK_SKEW_SECONDS,
  ).catch((error: unknown) => {
    if (error instanceof errors.InvalidClientAuth) return false;
    throw error;
  });
  if (!isFirst) throw refuse('it was used before');
  return credential;
};
