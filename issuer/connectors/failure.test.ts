import * as openid from 'openid-client';
import { describe, expect, it } from 'vitest';
import { UpstreamError } from './connector.ts';
import { describeReason, toRefreshError, toSignInError } from './failure.ts';

const refused = (error: string, status = 400) =>
  new openid.ResponseBodyError('refused', {
    cause: { error, error_description: 'SECRET' },
    response: new Response(null, { status }),
  });
const answered = (error: string) =>
  new openid.AuthorizationResponseError('answered', {
    cause: new URLSearchParams({ error, state: 'SECRET' }),
  });
const broken = (code: string, cause?: unknown) =>
  Object.assign(new openid.ClientError('SECRET', { cause }), { code });
const challenged = (error?: string) =>
  new openid.WWWAuthenticateChallengeError('challenged', {
    cause: [{ scheme: 'bearer', parameters: error === undefined ? {} : { error } }],
    response: new Response(null, { status: 401 }),
  });
const own = (failure: UpstreamError['failure']) => new UpstreamError('corp', failure);

describe('what went wrong', () => {
  it.each([
    ['the person said no', answered('access_denied'), 'denied', 'unavailable'],
    ['the provider failed', answered('server_error'), 'unavailable', 'unavailable'],
    ['a used code or an ended grant', refused('invalid_grant'), 'invalid', 'gone'],
    ['our client is refused', refused('invalid_client', 401), 'unavailable', 'unavailable'],
    ['our client is challenged', challenged(), 'unavailable', 'unavailable'],
    ['the access token is refused', challenged('invalid_token'), 'unavailable', 'gone'],
    ['a wrong nonce', broken('OAUTH_JWT_CLAIM_COMPARISON_FAILED'), 'invalid', 'unavailable'],
    ['no JSON', broken('OAUTH_RESPONSE_IS_NOT_JSON'), 'invalid', 'unavailable'],
    ['a status', broken('OAUTH_RESPONSE_IS_NOT_CONFORM'), 'unavailable', 'unavailable'],
    ['a time-out', broken('OAUTH_TIMEOUT'), 'unavailable', 'unavailable'],
    ['no connection', new TypeError('fetch failed'), 'unavailable', 'unavailable'],
    ['whatever', 'thrown', 'unavailable', 'unavailable'],
    ['our own gone', own('gone'), 'gone', 'gone'],
    ['our own refusal', own('not_allowed'), 'not_allowed', 'gone'],
    ['an address no longer verified', own('unverified_email'), 'unverified_email', 'gone'],
    ['our own doubt', own('invalid'), 'invalid', 'unavailable'],
  ])('%s', (_name, error, signIn, refresh) => {
    expect(toSignInError('corp', error).failure).toBe(signIn);
    expect(toRefreshError('corp', error).failure).toBe(refresh);
  });
});

describe('describeReason', () => {
  it.each([
    [refused('invalid_grant'), /ResponseBodyError OAUTH_RESPONSE_BODY_ERROR invalid_grant/],
    [refused('<script>SECRET'), /ResponseBodyError OAUTH_RESPONSE_BODY_ERROR$/],
    [answered('access_denied'), /AuthorizationResponseError .* access_denied/],
    [
      broken(
        'OAUTH_JWT_CLAIM_COMPARISON_FAILED',
        Object.assign(new Error('SECRET'), {
          cause: { claim: 'nonce', claims: { nonce: 'SECRET' } },
        }),
      ),
      /OAUTH_JWT_CLAIM_COMPARISON_FAILED Error nonce/,
    ],
    [
      broken('OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED', {
        attribute: 'issuer',
        expected: 'SECRET',
        body: { issuer: 'SECRET' },
      }),
      /OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED issuer$/,
    ],
    [
      broken('OAUTH_RESPONSE_IS_NOT_CONFORM', new Response('SECRET', { status: 404 })),
      /OAUTH_RESPONSE_IS_NOT_CONFORM 404$/,
    ],
    [
      broken('OAUTH_PARSE_ERROR', new SyntaxError('Unexpected SECRET')),
      /OAUTH_PARSE_ERROR SyntaxError/,
    ],
    [
      new TypeError('x', { cause: Object.assign(new Error('y'), { code: 'ECONNREFUSED' }) }),
      /TypeError Error ECONNREFUSED/,
    ],
  ])('tells codes, and nothing that an answer has said', (error, expected) => {
    const reason = describeReason(toSignInError('corp', error));
    expect(reason).toMatch(expected);
    expect(reason).not.toContain('SECRET');
  });

  it('says that it was us', () => {
    expect(describeReason(own('not_allowed'))).toContain('own rules');
  });
});
