/** What makes a workspace's kube-apiserver trust the issuer, and for this workspace only. */
import { GROUPS_CLAIM, KUBERNETES_PREFIX } from './group-name.ts';
import { formatId } from './identifiers.ts';
import { MOST_TOKEN_GROUPS } from './token-size.ts';

/** The key of a user's extra that names the workspace. */
export const WORKSPACE_EXTRA = 'kaas.hexabase.io/workspace';

/**
 * The claim that names the grant a token comes from, the same in all its refreshes: SHA-256 of the grant's
 * id, in base64url. No credential: a grant is found by its id alone.
 */
export const GRANT_CLAIM = 'grant';

/** The key of a user's extra that holds {@link GRANT_CLAIM}. */
export const GRANT_EXTRA = 'kaas.hexabase.io/grant';

/** What decides {@link authenticationConfiguration}. */
export type TrustedIssuer = {
  /** The issuer's URL, exactly as in the tokens' `iss`. */
  readonly url: string;
  /** PEM of the authority behind the issuer's certificate; without it the system's are trusted. */
  readonly certificateAuthority?: string | undefined;
};

/** An ID token that would live longer than this is not one of ours; in seconds. */
export const LONGEST_TOKEN_SECONDS = 900;

const PREFIX = KUBERNETES_PREFIX;
const SUBJECT = `^${PREFIX}[a-z]+_[0-7][0-9a-hjkmnp-tv-z]{25}$`;
const GROUP = `^${PREFIX}[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`;

/**
 * The structured authentication configuration (apiserver.config.k8s.io/v1) of a workspace's
 * kube-apiserver. It takes ID tokens of this issuer whose only audience is this workspace, puts the
 * prefix before every name, and refuses every name that isn't shaped as ours: with the prefix a token
 * can never say `system:masters`, and without a shape it can't even look like it.
 *
 * Anonymous requests reach the health endpoints and nothing else.
 *
 * @param workspaceId UUID
 */
export const authenticationConfiguration = (
  workspaceId: string,
  issuer: TrustedIssuer,
): Record<string, unknown> => {
  const audience = formatId('workspace', workspaceId);
  return {
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'AuthenticationConfiguration',
    jwt: [
      {
        issuer: {
          url: issuer.url,
          audiences: [audience],
          ...(issuer.certificateAuthority && { certificateAuthority: issuer.certificateAuthority }),
        },
        claimMappings: {
          username: { claim: 'sub', prefix: PREFIX },
          groups: { claim: GROUPS_CLAIM, prefix: PREFIX },
          uid: { claim: 'sub' },
          extra: [
            { key: WORKSPACE_EXTRA, valueExpression: `'${audience}'` },
            // By it an authorization webhook is asked whether the sign-in has been revoked.
            { key: GRANT_EXTRA, valueExpression: `claims.?${GRANT_CLAIM}.orValue('')` },
            { key: 'kaas.hexabase.io/name', valueExpression: `claims.?name.orValue('')` },
            { key: 'kaas.hexabase.io/email', valueExpression: `claims.?email.orValue('')` },
          ],
        },
        claimValidationRules: [
          {
            // `issuer.audiences` only asks that ours is among the token's.
            expression: `claims.aud == '${audience}' || claims.aud == ['${audience}']`,
            message: 'the token is for someone else too',
          },
          {
            expression: `claims.?workspace.orValue('${audience}') == '${audience}'`,
            message: 'the token is for another workspace',
          },
          {
            expression: `claims.exp - claims.iat <= ${LONGEST_TOKEN_SECONDS}`,
            message: `the token lives longer than ${LONGEST_TOKEN_SECONDS} seconds`,
          },
        ],
        userValidationRules: [
          {
            expression: `!user.username.startsWith('system:') && user.username.matches('${SUBJECT}')`,
            message: 'the subject is not an identifier of this platform',
          },
          {
            expression: `user.groups.all(g, !g.startsWith('system:') && g.matches('${GROUP}'))`,
            message: 'a group is not a name that a workspace group can have',
          },
          {
            expression: `size(user.groups) <= ${MOST_TOKEN_GROUPS}`,
            message: `the token carries more than ${MOST_TOKEN_GROUPS} groups`,
          },
        ],
      },
    ],
    anonymous: {
      enabled: true,
      conditions: ['/livez', '/readyz', '/healthz'].map((path) => ({ path })),
    },
  };
};
