import * as z from 'zod';

/** A connector as the issuer has written it down. */
export const ConnectorRow = z.strictObject({
  id: z.string(),
  name: z.string(),
  type: z.string(),
  provides_groups: z.boolean(),
});
export type ConnectorRow = z.infer<typeof ConnectorRow>;

/** An identity provider that people sign in with. */
export const Connector = z
  .strictObject({
    id: z.string().describe('What members, imports and mappings name it by.'),
    name: z.string().describe('What people see on the sign-in page.'),
    type: z.string().describe('How it is spoken to: oidc, google, github, or local accounts.'),
    provides_groups: z.boolean().describe('Whether it tells groups, so that they can be mapped.'),
  })
  .meta({ id: 'Connector' });
