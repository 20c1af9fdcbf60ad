/** Grants: a new one for each sign-in of a client, so that each can be revoked by itself. */
import type { Grant, KoaContextWithOIDC } from 'oidc-provider';

/**
 * Grants what the client asked for, once the person has confirmed this very sign-in; before that there
 * is nothing to load, and the confirm page is shown. The answer to a web client goes to its own address,
 * where no other program waits for it, so that there is nothing to confirm; in one session it has one grant.
 */
export const grantConfirmedRequest = async ({
  oidc,
}: KoaContextWithOIDC): Promise<Grant | undefined> => {
  if (!oidc.account || !oidc.client) return undefined;
  const isWeb = oidc.client.applicationType === 'web';
  if (!isWeb && !oidc.result?.['consent']) return undefined;
  const grant =
    (isWeb && (await findSessionGrant(oidc))) ||
    new oidc.provider.Grant({
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

/** What the client was granted in this session before. */
const findSessionGrant = async ({
  session,
  client,
  account,
  provider,
}: KoaContextWithOIDC['oidc']): Promise<Grant | undefined> => {
  const grantId = client && session?.grantIdFor(client.clientId);
  const grant = grantId ? await provider.Grant.find(grantId) : undefined;
  return grant?.accountId === account?.accountId ? grant : undefined;
};
