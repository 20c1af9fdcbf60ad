import * as z from 'zod';
import { formatId } from '#domain/identifiers.ts';
import { PublicKey } from '#runtime/public-key.ts';
import { Id } from '../schema.ts';
import {
  credentialRowShape,
  credentialShape,
  toCredential,
} from '../service-accounts/credentials.ts';

const Jwks = z.strictObject({ keys: z.array(z.record(z.string(), z.unknown())) });

/** A federated credential as it is stored. */
export const FederatedCredentialRow = z.strictObject({
  ...credentialRowShape,
  issuer: z.string(),
  audience: z.string(),
  claims: z.record(z.string(), z.string()),
  jwks: Jwks.nullable(),
  single_use: z.boolean(),
});
export type FederatedCredentialRow = z.infer<typeof FederatedCredentialRow>;

/** Whose tokens of another issuer are a service account's. */
export const FederatedCredential = z
  .strictObject({
    id: Id('federatedCredential'),
    issuer: z.string(),
    audience: z.string().describe('Whom the tokens must be for, and for nobody else.'),
    claims: z.record(z.string(), z.string()),
    jwks: Jwks.nullable().describe('The issuer’s keys; null: they are read from it.'),
    single_use: z.boolean(),
    ...credentialShape,
  })
  .meta({ id: 'FederatedCredential' });
export type FederatedCredential = z.infer<typeof FederatedCredential>;

/** The public form of a federated credential. */
export const toFederatedCredential = (row: FederatedCredentialRow): FederatedCredential => ({
  ...row,
  id: formatId('federatedCredential', row.id),
  ...toCredential(row),
});

const isIssuer = (text: string): boolean => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return (
    url?.protocol === 'https:' &&
    url.username === '' &&
    url.password === '' &&
    !/[?#]/.test(text) &&
    (text === url.href || `${text}/` === url.href)
  );
};

const ClaimName = z.string().regex(/^[A-Za-z0-9_.:/-]{1,128}$/, 'This is no name of a claim.');
const Pattern = z
  .string()
  .min(1)
  .max(512)
  .refine((text) => !/\p{Cc}/u.test(text), 'Control characters are not allowed.');

/** What a federated credential is made from. */
export const CreateFederatedCredential = z
  .strictObject({
    issuer: z
      .string()
      .max(512)
      .refine(
        isIssuer,
        'Must be an https URL as the tokens have it in `iss`: no query, no fragment.',
      )
      .describe('An OpenID Connect issuer, exactly as its tokens name it.'),
    audience: z
      .string()
      .max(512)
      .optional()
      .describe(
        'Whom the tokens must be for: this platform’s issuer URL, which is the default, or the service account’s id.',
      ),
    claims: z
      .record(ClaimName, Pattern)
      .refine((claims) => Object.keys(claims).length <= 16, 'At most 16 conditions.')
      .describe(
        'Claim → value, all of which must hold. A "*" stands for a whole part between ":" and "/", and at the end for all that is left. Needed is `sub`, or a claim that nobody chooses for themselves.',
      ),
    jwks: z
      .strictObject({ keys: z.array(PublicKey).min(1).max(16) })
      .optional()
      .describe('The issuer’s public keys, when we can’t read them from it.'),
    single_use: z
      .boolean()
      .default(false)
      .describe('Whether each token can be exchanged once. Pods show one token many times.'),
  })
  .meta({
    id: 'CreateFederatedCredential',
    examples: [
      {
        issuer: 'https://token.actions.githubusercontent.com',
        claims: { repository_id: '12345678', sub: 'repo:acme/web:environment:production' },
        single_use: true,
      },
    ],
  });
export type CreateFederatedCredential = z.infer<typeof CreateFederatedCredential>;
