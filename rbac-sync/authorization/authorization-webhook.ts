/** Has a workspace's kube-apiserver ask the issuer whether somebody's sign-in was revoked. */
import type { TrustedIssuer } from '#domain/authentication-configuration.ts';
import { formatId } from '#domain/identifiers.ts';
import { toAuthorizationPath, toAuthorizationToken } from '#runtime/authorization-token.ts';
import type { ApiServerConfiguration } from '../provisioners/provisioner.ts';

/** Whom clusters ask. */
export type AuthorizationEndpoint = {
  /** The issuer, or something before it: `https://host:port`. */
  readonly issuer: TrustedIssuer;
  /** 32 bytes that the workspaces' tokens are made of, shared with the issuer. */
  readonly key: Buffer;
};

/**
 * The kubeconfig of the authorization webhook, whose bearer token is good for questions of this workspace and
 * for nothing else.
 *
 * @param workspaceId UUID
 */
export const authorizationWebhook = (
  workspaceId: string,
  { issuer, key }: AuthorizationEndpoint,
): NonNullable<ApiServerConfiguration['authorization']> => {
  const workspace = formatId('workspace', workspaceId);
  const { url, certificateAuthority } = issuer;
  return {
    webhook: {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name: 'hexabase',
          cluster: {
            server: `${url}${toAuthorizationPath(workspace)}`,
            ...(certificateAuthority && {
              'certificate-authority-data': Buffer.from(certificateAuthority).toString('base64'),
            }),
          },
        },
      ],
      users: [{ name: 'apiserver', user: { token: toAuthorizationToken(key, workspace) } }],
      contexts: [{ name: 'hexabase', context: { cluster: 'hexabase', user: 'apiserver' } }],
      'current-context': 'hexabase',
    },
  };
};
