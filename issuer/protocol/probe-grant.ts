/**
 * The grant of probes: rbac-sync gets a short-lived token for a workspace and shows it to the workspace's
 * cluster, to see whether the cluster takes the issuer's tokens and reads them as it should. It is the grant
 * `client_credentials` (RFC 6749 §4.4) of one confidential client that signs its requests (RFC 7523), with
 * the workspace as `audience` (the parameter of RFC 8693 §2.1). The token's subject is nobody, it has no
 * groups, and it is no access token of the API. With `signing_key=newest` it is signed by the key that was
 * published last: a cluster that accepts it has read the issuer's keys since then.
 */
import { importJWK, type JWK, SignJWT } from 'jose';
import { type ClientMetadata, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { parseId } from '#domain/identifiers.ts';
import {
  KEY_PARAMETER,
  NEWEST_KEY,
  NOBODYS_AUDIENCE,
  PROBE_CLIENT_ID,
  PROBE_TOKEN_SECONDS,
  toProbeSubject,
} from '#domain/probe-subject.ts';
import type { SigningKeySet } from '../keys/signing-keys.ts';
import { describeClosure, findClosure } from '../people/workspace-closure.ts';
import { WORKSPACE_CLAIM } from './claims.ts';

/** @param publicKey of the client; its requests are signed with the private one */
export const probeClient = (publicKey: JWK): ClientMetadata => ({
  client_id: PROBE_CLIENT_ID,
  client_name: 'rbac-sync',
  token_endpoint_auth_method: 'private_key_jwt',
  token_endpoint_auth_signing_alg: 'ES256',
  grant_types: ['client_credentials'],
  response_types: [],
  redirect_uris: [],
  jwks: { keys: [publicKey as never] },
});

/** What {@link answerProbe} needs. */
export type ProbeGrantDeps = {
  readonly issuerUrl: string;
  readonly database: CommonQueryMethods;
  readonly signingKeys: SigningKeySet;
};

/**
 * The answer to the client of {@link probeClient}.
 *
 * @throws InvalidRequest, InvalidTarget, InvalidGrant
 */
export const answerProbe = async (
  deps: ProbeGrantDeps,
  ctx: KoaContextWithOIDC,
): Promise<object> => {
  const audience = await readAudience(deps.database, ctx);
  return {
    access_token: await signProbe(deps, audience, chooseKey(deps.signingKeys, ctx)),
    token_type: 'Bearer',
    expires_in: PROBE_TOKEN_SECONDS,
  };
};

/** By which key: the one that signs now, as for everybody, or the one that was published last. */
const chooseKey = ({ keys, newest }: SigningKeySet, { oidc }: KoaContextWithOIDC): JWK => {
  const wanted = oidc.params?.[KEY_PARAMETER];
  if (wanted === NEWEST_KEY) return newest;
  if (wanted !== undefined) throw new errors.InvalidRequest(`${KEY_PARAMETER} must be newest`);
  const current = keys.find(({ alg }) => alg === 'ES256');
  if (!current) throw new Error('there is no key to sign with');
  return current;
};

const readAudience = async (
  database: CommonQueryMethods,
  { oidc }: KoaContextWithOIDC,
): Promise<string> => {
  const audience = oidc.params?.['audience'];
  if (audience === NOBODYS_AUDIENCE) return NOBODYS_AUDIENCE;
  const workspaceId = typeof audience === 'string' ? parseId('workspace', audience) : undefined;
  if (!workspaceId || !(await isWorkspace(database, workspaceId))) {
    throw new errors.InvalidTarget('the audience must be a workspace');
  }
  const closure = await findClosure(database, workspaceId);
  if (closure) {
    throw new errors.CustomOIDCProviderError('invalid_grant', describeClosure(closure));
  }
  return audience as string;
};

const signProbe = async (
  { issuerUrl }: ProbeGrantDeps,
  audience: string,
  jwk: JWK,
): Promise<string> => {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ [WORKSPACE_CLAIM]: audience })
    .setProtectedHeader({ alg: 'ES256', kid: jwk.kid as string })
    .setIssuer(issuerUrl)
    .setSubject(toProbeSubject(audience))
    .setAudience(audience)
    .setIssuedAt(now)
    .setExpirationTime(now + PROBE_TOKEN_SECONDS)
    .sign(await importJWK(jwk, 'ES256'));
};

const isWorkspace = (db: CommonQueryMethods, workspaceId: string): Promise<boolean> =>
  db.exists(sql.prepared('issuer_workspace_exists', z.strictObject({}))`
    SELECT FROM workspace WHERE id = ${workspaceId}::uuid
  `);
