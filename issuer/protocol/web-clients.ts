/**
 * Clients with a server or a page of their own: a console, or another instance of the issuer that has
 * this one as its identity provider. They stand in the setting CLIENTS, in the terms of dynamic
 * registration (RFC 7591), which there is none of.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { ClientMetadata, KoaContextWithOIDC, Provider } from 'oidc-provider';
import * as z from 'zod';
import { PublicKeyMember } from '#runtime/json-web-key.ts';
import { isLoopback } from '../http/loopback.ts';

type Client = NonNullable<KoaContextWithOIDC['oidc']['client']>;

const MIN_SECRET_LENGTH = 32;

const explainAddress = (address: string): string | undefined => {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    return 'Must be an https address.';
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    return 'Must be https; http is for localhost only.';
  }
  if (url.username !== '' || url.password !== '') return 'Must have no username or password.';
  if (address.includes('#')) return 'Must have no fragment.';
  if (address.includes('*')) return 'Must be one address: there are no wildcards.';
  // Compared as text: what a browser would write otherwise never matches.
  return address === url.href || address === url.origin ? undefined : `Must be written ${url.href}`;
};

const Address = z
  .string()
  .max(2048)
  .superRefine((address, context) => {
    const message = explainAddress(address);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

const distinct = (values: readonly unknown[]): boolean => new Set(values).size === values.length;

const common = {
  // No underscore, which workspaces' ids have; `hexabase-` is for clients of our own.
  client_id: z
    .string()
    .regex(/^(?!hexabase-)[a-z0-9][a-z0-9-]{1,63}$/, 'Must be a-z, 0-9 and -, and not hexabase-….'),
  client_name: z.string().min(1).max(64),
  redirect_uris: z.array(Address).min(1).max(16).refine(distinct, 'Each once.'),
  post_logout_redirect_uris: z.array(Address).max(16).refine(distinct, 'Each once.').default([]),
  backchannel_logout_uri: Address.optional(),
  /** Whether it gets access tokens for the API. */
  api: z.boolean().default(false),
};

const secretMembers = {
  client_secret_sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'Must be the SHA-256 hash of a random secret, in hexadecimal.')
    .optional(),
  client_secret_path: z.string().min(1).optional(),
};

const WebClientConfig = z.discriminatedUnion('token_endpoint_auth_method', [
  z
    .strictObject({
      ...common,
      ...secretMembers,
      token_endpoint_auth_method: z.enum(['client_secret_basic', 'client_secret_post']),
    })
    .refine(
      ({ client_secret_sha256: hash, client_secret_path: path }) =>
        (hash === undefined) !== (path === undefined),
      'Must have client_secret_sha256 or client_secret_path, one of them.',
    ),
  z.strictObject({
    ...common,
    token_endpoint_auth_method: z.literal('private_key_jwt'),
    jwks: z.strictObject({ keys: z.array(PublicKeyMember).min(1).max(4) }),
  }),
  z.strictObject({ ...common, token_endpoint_auth_method: z.literal('none') }),
]);

/** A client in CLIENTS. */
export type WebClientConfig = z.infer<typeof WebClientConfig>;

/** The content of CLIENTS. */
export const WebClientConfigs = z
  .array(WebClientConfig)
  .refine(
    (clients) => distinct(clients.map(({ client_id }) => client_id)),
    'Each client has a client_id of its own.',
  );

/** Addresses of a client to which the browser or we would go over HTTP in the clear. */
export const cleartextAddresses = (client: WebClientConfig): readonly string[] =>
  [
    ...client.redirect_uris,
    ...client.post_logout_redirect_uris,
    client.backchannel_logout_uri ?? '',
  ].filter((address) => address.startsWith('http:'));

/** A client as the provider knows it; in place of a secret it has the secret's hash. */
export type WebClient = {
  readonly metadata: ClientMetadata;
  /** Whether it gets access tokens for the API. */
  readonly api: boolean;
};

/**
 * Reads the secrets that stand in files, and keeps of each only the hash.
 *
 * @throws when a file can't be read, or its secret is shorter than 32 characters
 */
export const loadWebClients = (configs: readonly WebClientConfig[]): Promise<WebClient[]> =>
  Promise.all(configs.map(loadWebClient));

const loadWebClient = async ({ api, ...config }: WebClientConfig): Promise<WebClient> => {
  const {
    client_secret_sha256: hash,
    client_secret_path: path,
    ...registered
  }: typeof config & SecretMembers = config;
  const client_secret = path === undefined ? hash : await hashSecretAt(path);
  return {
    api,
    metadata: {
      ...registered,
      ...(client_secret !== undefined && { client_secret }),
      ...(registered.token_endpoint_auth_method === 'private_key_jwt' && {
        token_endpoint_auth_signing_alg: 'ES256',
      }),
      ...(registered.backchannel_logout_uri !== undefined && {
        backchannel_logout_session_required: true,
      }),
      application_type: 'web',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    } as ClientMetadata,
  };
};

type SecretMembers = {
  readonly client_secret_sha256?: string | undefined;
  readonly client_secret_path?: string | undefined;
};

const hashSecretAt = async (path: string): Promise<string> => {
  const secret = (await readFile(path, 'utf8')).trimEnd();
  if (secret.length < MIN_SECRET_LENGTH) {
    throw new Error(
      `The client secret in ${path} is shorter than ${MIN_SECRET_LENGTH} characters: make one with "openssl rand -base64 32".`,
    );
  }
  return hashClientSecret(secret);
};

/** The hash of a random secret, for `client_secret_sha256`. It needs no salt and no slow hash. */
export const hashClientSecret = (secret: string): string =>
  createHash('sha256').update(secret).digest('hex');

/** Lets clients authenticate against the hashes of their secrets, which are all that is kept. */
export const compareHashedSecrets = (provider: Provider): void => {
  // Not in the published types.
  const prototype = provider.Client.prototype as unknown as {
    compareClientSecret(this: { clientSecret?: string }, actual: string): boolean;
  };
  prototype.compareClientSecret = function compareHashes(actual) {
    const expected = Buffer.from(this.clientSecret ?? '');
    const given = Buffer.from(hashClientSecret(actual));
    return expected.length === given.length && timingSafeEqual(expected, given);
  };
};

/**
 * Whether a page of this origin may call the token endpoint: only for a client that is such a page, and
 * so has no secret.
 */
export const mayCallFrom = (origin: string, client: Client): boolean =>
  client.applicationType === 'web' &&
  client.tokenEndpointAuthMethod === 'none' &&
  (client.redirectUris ?? []).some((address) => new URL(address).origin === origin);

/** The origins of all clients that are a page, and so call the token endpoint from a browser. */
export const originsOfPages = (clients: readonly WebClient[]): ReadonlySet<string> =>
  new Set(
    clients
      .filter(({ metadata }) => metadata.token_endpoint_auth_method === 'none')
      .flatMap(({ metadata }) => metadata.redirect_uris ?? [])
      .map((address) => new URL(address).origin),
  );
