/** Settings of connectors to OpenID providers. */
import * as z from 'zod';
import { Domain } from '../people/admission.ts';
import { hasOneSecret, ProviderUrl, redirectSettings, TWO_SECRETS } from './settings.ts';

const ClaimName = z.string().min(1).max(255);

/** A connector to an OpenID provider in CONNECTORS. */
export const OidcConnectorConfig = z
  .strictObject({
    type: z.literal('oidc'),
    ...redirectSettings,
    issuer: ProviderUrl,
    token_endpoint_auth_method: z
      .enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'])
      .optional(),
    /** File with the private JSON Web Key of private_key_jwt (RFC 7523). */
    private_key_path: z.string().min(1).optional(),
    scopes: z
      .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/))
      .default(['openid', 'profile', 'email']),
    subject_claim: ClaimName.default('sub'),
    name_claim: ClaimName.default('name'),
    email_claim: ClaimName.default('email'),
    email_verified_claim: ClaimName.default('email_verified'),
    groups_claim: ClaimName.optional(),
    /** Asks for a refresh token, to ask again whether someone is still there. */
    refresh: z.boolean().default(false),
    /** A login_hint with an e-mail address of these domains leads here. */
    login_hint_domains: z.array(Domain).default([]),
  })
  .refine(hasOneSecret, TWO_SECRETS)
  .refine(
    ({ token_endpoint_auth_method: method, private_key_path: path }) =>
      (method === 'private_key_jwt') === (path !== undefined),
    'private_key_jwt and private_key_path go together.',
  );
export type OidcConnectorConfig = z.infer<typeof OidcConnectorConfig>;
