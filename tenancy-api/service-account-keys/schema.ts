import * as z from 'zod';
import { formatId } from '#domain/identifiers.ts';
import { PublicKey } from '#runtime/public-key.ts';
import { FutureTimestamp, Id, Timestamp } from '../schema.ts';
import {
  credentialRowShape,
  credentialShape,
  toCredential,
} from '../service-accounts/credentials.ts';

/** A key as it is stored. */
export const KeyRow = z.strictObject({
  ...credentialRowShape,
  jwk: z.record(z.string(), z.unknown()),
  thumbprint: z.string(),
  expires_at: z.date().nullable(),
});
export type KeyRow = z.infer<typeof KeyRow>;

/** A public key of a service account. */
export const ServiceAccountKey = z
  .strictObject({
    id: Id('clientKey'),
    thumbprint: z
      .string()
      .describe('RFC 7638, SHA-256. Name it as `kid` in assertions to have its use noted.'),
    algorithm: z.string().describe('What assertions are signed by.'),
    jwk: z.record(z.string(), z.unknown()).describe('The key (RFC 7517).'),
    expires_at: Timestamp.nullable(),
    ...credentialShape,
  })
  .meta({ id: 'ServiceAccountKey' });
export type ServiceAccountKey = z.infer<typeof ServiceAccountKey>;

/** The public form of a key. */
export const toKey = (row: KeyRow): ServiceAccountKey => ({
  id: formatId('clientKey', row.id),
  thumbprint: row.thumbprint,
  algorithm: String(row.jwk['alg']),
  jwk: row.jwk,
  expires_at: row.expires_at?.toISOString() ?? null,
  ...toCredential(row),
});

/** What a key is made from. */
export const CreateServiceAccountKey = z
  .strictObject({
    jwk: PublicKey.describe('A public JSON Web Key: P-256, RSA of 2048 bits or more, or Ed25519.'),
    expires_at: FutureTimestamp.nullable().optional().describe('When it ends by itself, if ever.'),
  })
  .meta({
    id: 'CreateServiceAccountKey',
    examples: [
      {
        jwk: {
          kty: 'OKP',
          crv: 'Ed25519',
          x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
        },
      },
    ],
  });
export type CreateServiceAccountKey = z.infer<typeof CreateServiceAccountKey>;
