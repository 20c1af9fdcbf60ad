/** Settings of connectors to GitHub. */
import * as z from 'zod';
import { hasOneSecret, ProviderUrl, redirectSettings, TWO_SECRETS } from './settings.ts';

const withoutSlash = (url: string): string => url.replace(/\/+$/, '');

/** A connector to GitHub in CONNECTORS. */
export const GitHubConnectorConfig = z
  .strictObject({
    type: z.literal('github'),
    ...redirectSettings,
    /** Whose members may sign in, by login or by number; without any every GitHub account may. */
    organizations: z
      .array(z.union([z.string().regex(/^[A-Za-z0-9-]{1,39}$/), z.int().positive()]))
      .default([]),
    /** Whether teams are read, as groups `organization/team-slug`. */
    groups: z.boolean().default(false),
    /** Of GitHub Enterprise Server: `https://github.example.com`. */
    base_url: ProviderUrl.default('https://github.com').transform(withoutSlash),
    /** Of GitHub Enterprise Server: `https://github.example.com/api/v3`. */
    api_url: ProviderUrl.default('https://api.github.com').transform(withoutSlash),
  })
  .refine(hasOneSecret, TWO_SECRETS)
  .refine(
    ({ client_secret, client_secret_path }) => (client_secret ?? client_secret_path) !== undefined,
    'GitHub needs client_secret or client_secret_path.',
  );
export type GitHubConnectorConfig = z.infer<typeof GitHubConnectorConfig>;
