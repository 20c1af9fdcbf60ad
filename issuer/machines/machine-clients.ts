/**
 * Service accounts as OAuth clients. What a service account may do depends on how it shows itself in the
 * request: with a secret or a signed assertion it gets tokens by `client_credentials`; without either it
 * only names itself, and whoever brings another issuer's token for it exchanges that.
 */
import { createHash } from 'node:crypto';
import { type AdapterPayload, errors, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { CommonQueryMethods } from 'slonik';
import { parseId } from '#domain/identifiers.ts';
import { TOKEN_EXCHANGE_GRANT } from '../protocol/clients.ts';
import { findSecret, findServiceAccount, listKeys, touchKey, touchSecret } from './queries.ts';

/** RFC 6749 §4.4. */
export const CLIENT_CREDENTIALS_GRANT = 'client_credentials';

/** How long an assertion may live, in seconds: so long its `jti` is remembered. */
const LONGEST_ASSERTION_SECONDS = 600;

/** What no secret's hash is compared with: the provider wants every such client to have one. */
const KEPT_ELSEWHERE = 'in the table service_account_secret';

/** The ways in which a request can authenticate a service account. */
export const MACHINE_AUTH_METHODS = [
  'none',
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
] as const;

/** The client whose id is a service account's; `undefined` when there is none. */
export const findMachineClient = async (
  db: CommonQueryMethods,
  clientId: string,
): Promise<AdapterPayload | undefined> => {
  const accountId = parseId('serviceAccount', clientId);
  if (accountId === undefined) return undefined;
  const account = await findServiceAccount(db, accountId);
  if (!account) return undefined;
  const method = methodOf(Provider.ctx);
  return {
    client_id: clientId,
    client_name: account.name,
    token_endpoint_auth_method: method,
    grant_types: [method === 'none' ? TOKEN_EXCHANGE_GRANT : CLIENT_CREDENTIALS_GRANT],
    response_types: [],
    redirect_uris: [],
    id_token_signed_response_alg: 'ES256',
    ...(method === 'client_secret_basic' && { client_secret: KEPT_ELSEWHERE }),
    ...(method === 'private_key_jwt' && { jwks: await readKeys(db, accountId) }),
  };
};

const methodOf = (ctx: KoaContextWithOIDC | undefined): (typeof MACHINE_AUTH_METHODS)[number] => {
  const params = ctx?.oidc?.params;
  if (params?.['client_assertion'] !== undefined) return 'private_key_jwt';
  const hasSecret = params?.['client_secret'] || ctx?.headers.authorization !== undefined;
  return hasSecret ? 'client_secret_basic' : 'none';
};

/** @throws InvalidClient where there is no key: the provider takes an empty set for a fault of ours */
const readKeys = async (db: CommonQueryMethods, accountId: string) => {
  const keys = await listKeys(db, accountId);
  if (keys.length === 0) {
    throw new errors.InvalidClient('the service account has no key that is in force');
  }
  return { keys: keys.map(({ jwk }) => jwk) };
};

/** Lets service accounts authenticate with any of their secrets. */
export const compareMachineSecrets = (provider: Provider, database: CommonQueryMethods): void => {
  // Not in the published types.
  const prototype = provider.Client.prototype as unknown as {
    compareClientSecret(this: { clientId: string }, actual: string): boolean | Promise<boolean>;
  };
  const compare = prototype.compareClientSecret;
  prototype.compareClientSecret = function compareAny(actual) {
    const accountId = parseId('serviceAccount', this.clientId);
    return accountId ? useSecret(database, accountId, actual) : compare.call(this, actual);
  };
};

/** Found by its hash, so that how long it takes tells nothing of a secret. */
const useSecret = async (
  db: CommonQueryMethods,
  accountId: string,
  secret: string,
): Promise<boolean> => {
  const id = await findSecret(db, accountId, createHash('sha256').update(secret).digest());
  if (id === undefined) return false;
  await touchSecret(db, id);
  return true;
};

/**
 * What is asked of an assertion beyond RFC 7523: it is for us alone, and ends soon. The provider calls
 * this for each assertion whose signature is right.
 */
export const createAssertionCheck =
  (database: CommonQueryMethods) =>
  async (
    _ctx: unknown,
    claims: Readonly<Record<string, unknown>>,
    header: Readonly<Record<string, unknown>>,
    client: { readonly clientId: string },
  ): Promise<void> => {
    const accountId = parseId('serviceAccount', client.clientId);
    if (accountId === undefined) return;
    if (typeof claims['aud'] !== 'string') {
      throw new errors.InvalidClientAuth('the assertion must be for one audience alone');
    }
    const left = Number(claims['exp']) - Date.now() / 1000;
    if (!(left <= LONGEST_ASSERTION_SECONDS)) {
      throw new errors.InvalidClientAuth(
        `the assertion must end within ${LONGEST_ASSERTION_SECONDS} seconds`,
      );
    }
    if (typeof header['kid'] === 'string') await touchKey(database, accountId, header['kid']);
  };
