/** What went wrong at a provider, in our words: what the provider itself says is neither shown nor logged. */
import * as openid from 'openid-client';
import { UpstreamError, type UpstreamFailure } from './connector.ts';

/** Errors of an authorization response that are the person's no, or the provider's no to the person. */
const REFUSALS = new Set([
  'access_denied',
  'account_selection_required',
  'consent_required',
  'interaction_required',
  'login_required',
  'user_cancelled',
]);

/** Codes of openid-client for answers that break the protocol. */
const BREACHES = new Set([
  'OAUTH_INVALID_RESPONSE',
  'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED',
  'OAUTH_JWT_CLAIM_COMPARISON_FAILED',
  'OAUTH_JWT_TIMESTAMP_CHECK_FAILED',
  'OAUTH_JWT_USERINFO_EXPECTED',
  'OAUTH_KEY_SELECTION_FAILED',
  'OAUTH_PARSE_ERROR',
  'OAUTH_RESPONSE_IS_NOT_JSON',
  'OAUTH_UNSUPPORTED_OPERATION',
]);

/** Makes an UpstreamError of whatever a sign-in has run into. */
export const toSignInError = (connector: string, error: unknown): UpstreamError =>
  error instanceof UpstreamError
    ? error
    : new UpstreamError(connector, signInFailureOf(error), { cause: error });

/**
 * Makes an UpstreamError of whatever asking again has run into: `gone` only for a definite no, as it
 * takes someone's rights away; everything else may be better tomorrow.
 */
export const toRefreshError = (connector: string, error: unknown): UpstreamError =>
  new UpstreamError(connector, isDefiniteNo(error) ? 'gone' : 'unavailable', { cause: error });

const signInFailureOf = (error: unknown): UpstreamFailure => {
  if (error instanceof openid.AuthorizationResponseError) {
    return REFUSALS.has(error.error) ? 'denied' : 'unavailable';
  }
  if (error instanceof openid.ResponseBodyError) {
    return error.error === 'invalid_grant' ? 'invalid' : 'unavailable';
  }
  return BREACHES.has(codeOf(error)) ? 'invalid' : 'unavailable';
};

const isDefiniteNo = (error: unknown): boolean => {
  if (error instanceof UpstreamError) return !VAGUE.has(error.failure);
  if (error instanceof openid.ResponseBodyError) return error.error === 'invalid_grant';
  // Of userinfo (RFC 6750 §3.1); a token endpoint that doesn't know our client answers 401 as well.
  return (
    error instanceof openid.WWWAuthenticateChallengeError &&
    error.cause.some(({ parameters }) => parameters.error === 'invalid_token')
  );
};

const VAGUE: ReadonlySet<UpstreamFailure> = new Set(['unavailable', 'invalid']);

const codeOf = (error: unknown): string => {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : '';
};

/**
 * Why, for the log: names and codes of the error and its causes, such as
 * `ClientError OAUTH_JWT_CLAIM_COMPARISON_FAILED nonce`, and the status of an answer that can't be read.
 * Messages are left out: they quote answers.
 */
export const describeReason = (error: unknown): string => {
  const words: string[] = [];
  let each = error instanceof UpstreamError ? error.cause : error;
  for (let depth = 0; depth < 5 && each !== undefined && each !== null; depth += 1) {
    const { name, error: oauthError, claim, attribute, cause } = each as Record<string, unknown>;
    if (each instanceof Error) words.push(String(name));
    words.push(...[codeOf(each), oauthError, claim, attribute].filter(isWord));
    if (each instanceof Response) words.push(`${each.status}`);
    each = cause;
  }
  return [...new Set(words)].join(' ') || 'by the connector’s own rules';
};

/** An error code as RFC 6749 §5.2 writes them, not a text or a token. */
const isWord = (value: unknown): value is string =>
  typeof value === 'string' && /^[A-Za-z][A-Za-z0-9_]{0,47}$/.test(value);
