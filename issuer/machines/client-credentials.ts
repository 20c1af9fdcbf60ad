/** The grant `client_credentials` (RFC 6749 §4.4): of service accounts, and of the client that probes clusters. */
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { errors } from 'oidc-provider';
import { parseId } from '#domain/identifiers.ts';
import { KEY_PARAMETER, PROBE_CLIENT_ID } from '#domain/probe-subject.ts';
import { answerProbe, type ProbeGrantDeps } from '../protocol/probe-grant.ts';
import { CLIENT_CREDENTIALS_GRANT } from './machine-clients.ts';
import { issueMachineToken, type MachineTokenDeps } from './workspace-token.ts';

/** Answers the grant; for a service account with a token of its workspace, and never with a refresh token. */
export const registerClientCredentials = (
  provider: Provider,
  deps: ProbeGrantDeps & MachineTokenDeps,
): void => {
  provider.registerGrantType(
    CLIENT_CREDENTIALS_GRANT,
    async (ctx) => {
      ctx.body = await answer(provider, deps, ctx);
    },
    ['audience', KEY_PARAMETER],
  );
};

const answer = (
  provider: Provider,
  deps: ProbeGrantDeps & MachineTokenDeps,
  ctx: KoaContextWithOIDC,
): Promise<object> => {
  const clientId = ctx.oidc.client?.clientId ?? '';
  if (clientId === PROBE_CLIENT_ID) return answerProbe(deps, ctx);
  const accountId = parseId('serviceAccount', clientId);
  if (accountId === undefined) {
    throw new errors.InvalidRequest('requested grant type is not allowed for this client');
  }
  return issueMachineToken({ ...deps, provider }, ctx, accountId);
};
