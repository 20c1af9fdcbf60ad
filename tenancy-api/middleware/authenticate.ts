import type { Context } from 'koa';
import { type AccessTokenVerifier, invalidToken } from '../access-token.ts';
import { PROBLEMS, Problem } from '../problems.ts';

const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/**
 * The person (UUID) whom a request's bearer token speaks for (RFC 6750; the header alone, never the
 * query or the body).
 *
 * @throws Problem unauthenticated without a token; what the verifier throws with one
 */
export const authenticate = async (
  ctx: Context,
  verifier: AccessTokenVerifier,
): Promise<string> => {
  const header = ctx.get('Authorization');
  if (!/^Bearer\b/i.test(header)) {
    throw new Problem(
      PROBLEMS.unauthenticated,
      'Send an access token of the issuer: "Authorization: Bearer …".',
      { headers: { 'WWW-Authenticate': 'Bearer' } },
    );
  }
  const token = BEARER.exec(header)?.[1];
  if (token === undefined) throw invalidToken('It is not in the form of a bearer token.');
  const personId = await verifier.verify(token);
  ctx.state['personId'] = personId;
  return personId;
};
