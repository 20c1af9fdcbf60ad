import * as z from 'zod';
import { oldTokensUntil, refusedFrom } from '#domain/staleness.ts';
import { Timestamp, tokenTimes } from '../schema.ts';

const receipt = {
  sign_ins: z
    .int()
    .min(0)
    .describe(
      'How many sign-ins of kubectl and other clients were ended: none of them is renewed.',
    ),
  refused_from: Timestamp.describe(
    'From then on clusters that ask the issuer refuse what is left of their tokens; the others take them until `old_tokens_until`. Open streams (exec, watch, port-forward) and ServiceAccount tokens that a person made go on.',
  ),
  old_tokens_until: tokenTimes.old_tokens_until,
};

/** What was ended in a workspace, and until when. */
export const Revocation = z.strictObject(receipt).meta({ id: 'Revocation' });
export type Revocation = z.infer<typeof Revocation>;

/** What was ended everywhere, and until when. */
export const SignOut = z
  .strictObject({
    sessions: z.int().min(0).describe('How many sessions of browsers were ended.'),
    ...receipt,
  })
  .meta({ id: 'SignOut' });

/** The receipt for something that is ended now. */
export const toRevocation = (signIns: number): Revocation => {
  const now = new Date();
  return {
    sign_ins: signIns,
    refused_from: refusedFrom(now).toISOString(),
    old_tokens_until: oldTokensUntil(now).toISOString(),
  };
};

/** Whether a removal ends the person's sign-ins too. */
export const RevokeQuery = z.strictObject({
  revoke_now: z
    .enum(['true', 'false'])
    .optional()
    .describe(
      'Whether the person’s sign-ins to the workspace are ended at once too, so that clusters that ask the issuer refuse their tokens within 10 seconds.',
    ),
});

/** When a removal shows in tokens, and what was ended with it. */
export const Removal = z
  .strictObject({
    ...tokenTimes,
    revocation: Revocation.nullable().describe('What was ended at once; null: nothing was.'),
  })
  .meta({ id: 'Removal' });
