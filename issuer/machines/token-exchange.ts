/**
 * Token exchange (RFC 8693): a workload's token of another issuer for one of its service account, and a
 * person's session for a token of another of their workspaces.
 */
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { parseId } from '#domain/identifiers.ts';
import { TOKEN_EXCHANGE_GRANT } from '../protocol/clients.ts';
import { touchFederatedCredential } from './queries.ts';
import { exchangeSession, type SessionExchangeDeps } from './session-exchange.ts';
import { recognizeWorkload, type WorkloadDeps } from './workload-identity.ts';
import {
  issueMachineToken,
  type MachineTokenDeps,
  TOKEN_TYPES,
  type TokenAnswer,
} from './workspace-token.ts';

const PARAMETERS = [
  'audience',
  'subject_token',
  'subject_token_type',
  'requested_token_type',
  'actor_token',
];
const REQUESTABLE = [undefined, TOKEN_TYPES.jwt, TOKEN_TYPES.idToken];

/** What {@link registerTokenExchange} needs. */
export type ExchangeDeps = WorkloadDeps & MachineTokenDeps & SessionExchangeDeps;

/**
 * Answers the grant: to a service account that names itself with `client_id` and proves itself by the token,
 * and to the programs that people sign in with.
 */
export const registerTokenExchange = (deps: ExchangeDeps): void => {
  deps.provider.registerGrantType(
    TOKEN_EXCHANGE_GRANT,
    async (ctx) => {
      const answer = await exchange(deps, ctx);
      ctx.body = { ...answer, issued_token_type: TOKEN_TYPES.jwt };
    },
    PARAMETERS,
  );
};

const exchange = async (deps: ExchangeDeps, ctx: KoaContextWithOIDC): Promise<TokenAnswer> => {
  const params = ctx.oidc.params ?? {};
  if (params['actor_token'] !== undefined) {
    throw new errors.InvalidRequest('nobody acts for anybody here: send no actor_token');
  }
  if (!REQUESTABLE.some((type) => type === params['requested_token_type'])) {
    throw new errors.InvalidRequest(`requested_token_type must be ${TOKEN_TYPES.jwt}`);
  }
  const token = params['subject_token'];
  if (typeof token !== 'string') throw new errors.InvalidRequest('subject_token is missing');
  const type = params['subject_token_type'];
  if (type === TOKEN_TYPES.refreshToken) return exchangeSession(deps, ctx, token);
  if (type !== TOKEN_TYPES.jwt && type !== TOKEN_TYPES.idToken) {
    throw new errors.InvalidRequest(`subject_token_type must be ${TOKEN_TYPES.jwt}`);
  }
  const accountId = parseId('serviceAccount', ctx.oidc.client?.clientId ?? '');
  if (accountId === undefined) throw new errors.InvalidRequest('client_id is no service account');
  const credential = await recognizeWorkload(deps, accountId, token);
  const answer = await issueMachineToken(deps, ctx, accountId);
  await touchFederatedCredential(deps.database, credential.id);
  return answer;
};
