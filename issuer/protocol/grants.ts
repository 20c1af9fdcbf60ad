/** Grants: a new one for each sign-in of a client, so that each can be revoked by itself. */
import type { Grant, KoaContextWithOIDC } from 'oidc-provider';

/**
 * Grants what the client asked for, once the person has confirmed this very sign-in; before that there
 * is nothing to load, and the confirm page is shown.
 */
export const grantConfirmedRequest = async ({
  oidc,
}: KoaContextWithOIDC): Promise<Grant | undefined> => {
  if (!oidc.result?.['consent'] || !oidc.account || !oidc.client) return undefined;
  const grant = new oidc.provider.Grant({
    accountId: oidc.account.accountId,
    clientId: oidc.client.clientId,
  });
  grant.addOIDCScope([...oidc.requestParamOIDCScopes].join(' '));
  for (const [resource, server] of Object.entries(oidc.resourceServers ?? {})) {
    const scopes = [...oidc.requestParamScopes].filter((scope) => server.scopes.has(scope));
    grant.addResourceScope(resource, scopes.join(' '));
  }
  await grant.save();
  return grant;
};
