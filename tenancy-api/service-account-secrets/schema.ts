import * as z from 'zod';
import { formatId } from '#domain/identifiers.ts';
import { Id, Timestamp } from '../schema.ts';
import {
  credentialRowShape,
  credentialShape,
  toCredential,
} from '../service-accounts/credentials.ts';

/** A secret as it is stored, without its hash. */
export const SecretRow = z.strictObject({
  ...credentialRowShape,
  hint: z.string(),
  expires_at: z.date(),
});
export type SecretRow = z.infer<typeof SecretRow>;

/** A client secret of a service account, which itself is in no answer but the first. */
export const ServiceAccountSecret = z
  .strictObject({
    id: Id('clientSecret'),
    hint: z.string().describe('Its last four characters.'),
    expires_at: Timestamp,
    ...credentialShape,
  })
  .meta({ id: 'ServiceAccountSecret' });
export type ServiceAccountSecret = z.infer<typeof ServiceAccountSecret>;

/** The public form of a secret. */
export const toSecret = (row: SecretRow): ServiceAccountSecret => ({
  id: formatId('clientSecret', row.id),
  hint: row.hint,
  expires_at: row.expires_at.toISOString(),
  ...toCredential(row),
});

/** What a secret is made from. */
export const CreateServiceAccountSecret = z
  .strictObject({
    lifetime_days: z
      .int()
      .min(1)
      .max(365)
      .describe(
        'It ends by itself after so many days. Make the next one before, and delete this one then.',
      ),
  })
  .meta({ id: 'CreateServiceAccountSecret', examples: [{ lifetime_days: 90 }] });
export type CreateServiceAccountSecret = z.infer<typeof CreateServiceAccountSecret>;

/** A secret that was made. */
export const ServiceAccountSecretCreated = z
  .strictObject({
    ...ServiceAccountSecret.shape,
    secret: z
      .string()
      .nullable()
      .describe(
        'The secret itself, hxb_…: shown here and never again. null in a repeated answer (Idempotency-Key).',
      ),
  })
  .meta({ id: 'ServiceAccountSecretCreated' });
