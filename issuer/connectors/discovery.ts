/** What a provider says about itself, asked when it is first needed, so that one that is down stops nobody else. */
import { importJWK, type JWK } from 'jose';
import * as openid from 'openid-client';
import type { OidcConnectorConfig } from './oidc-config.ts';
import { createProviderFetch } from './provider-fetch.ts';
import { readOptional, readSecret } from './settings.ts';

const HOUR_MS = 3_600_000;
const TIMEOUT_SECONDS = 5;

/**
 * Discovers a connector's provider, with which our client speaks to it from then on. Remembered for an
 * hour; calls at once share one request, and a failure is not remembered, so that the next call tries again.
 *
 * @throws when a file that the settings name can't be read
 */
export const createDiscovery = async (
  config: OidcConnectorConfig,
): Promise<() => Promise<openid.Configuration>> => remember(await prepareDiscovery(config));

const remember = (
  discover: () => Promise<openid.Configuration>,
): (() => Promise<openid.Configuration>) => {
  let known:
    | { readonly configuration: Promise<openid.Configuration>; readonly since: number }
    | undefined;
  return () => {
    if (known && Date.now() - known.since < HOUR_MS) return known.configuration;
    const attempt = { configuration: discover(), since: Date.now() };
    known = attempt;
    attempt.configuration.catch(() => {
      if (known === attempt) known = undefined;
    });
    return attempt.configuration;
  };
};

const prepareDiscovery = async (
  config: OidcConnectorConfig,
): Promise<() => Promise<openid.Configuration>> => {
  const authentication = await createClientAuthentication(config);
  const providerFetch = createProviderFetch(await readOptional(config.certificate_authority_path));
  const issuer = new URL(config.issuer);
  const checks = [openid.enableNonRepudiationChecks];
  if (issuer.protocol === 'http:') checks.push(openid.allowInsecureRequests);
  return () =>
    openid.discovery(issuer, config.client_id, {}, authentication, {
      [openid.customFetch]: providerFetch as openid.CustomFetch,
      timeout: TIMEOUT_SECONDS,
      execute: checks,
    });
};

const createClientAuthentication = async (
  config: OidcConnectorConfig,
): Promise<openid.ClientAuth> => {
  const secret = await readSecret(config);
  const key = await readOptional(config.private_key_path);
  if (key !== undefined) return openid.PrivateKeyJwt(await importPrivateKey(JSON.parse(key)));
  const method = config.token_endpoint_auth_method;
  if (secret === undefined || method === 'none') return openid.None();
  const [basic, post] = [openid.ClientSecretBasic(secret), openid.ClientSecretPost(secret)];
  if (method === 'client_secret_basic') return basic;
  if (method === 'client_secret_post') return post;
  // Both are common, but the encoding of RFC 6749 §2.3.1 in the first is often got wrong.
  return (server, ...rest) => {
    const methods = server.token_endpoint_auth_methods_supported ?? [];
    return methods.includes('client_secret_post') ? post(server, ...rest) : basic(server, ...rest);
  };
};

const importPrivateKey = async (jwk: JWK): Promise<openid.PrivateKey> => {
  const key = await importJWK(jwk, jwk.alg ?? 'ES256');
  if (key instanceof Uint8Array)
    throw new Error('private_key_path must hold a private JSON Web Key');
  return { key, ...(jwk.kid !== undefined && { kid: jwk.kid }) };
};
