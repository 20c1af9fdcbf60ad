/** What the settings of connectors have in common. */
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { unlessMissing } from '#runtime/config.ts';
import { isLoopback } from '../http/loopback.ts';
import { type AdmissionRules, admissionShape } from '../people/admission.ts';

/** A connector's id: a part of addresses and of every account's key, so it never changes. */
export const ConnectorId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'Must be a-z, 0-9 and -, at most 32 of them.');

/** What people see on the button. */
export const ConnectorName = z.string().min(1).max(64);

const PROVIDER_URL =
  'Must be an https address (http on this machine only), without query or fragment.';

/** An https address, or http on this machine; without query and fragment. */
export const ProviderUrl = z
  .url({ protocol: /^https?$/, error: unlessMissing(PROVIDER_URL), abort: true })
  .refine((text) => {
    const { protocol, hostname, search, hash, username } = new URL(text);
    const isSafe = protocol === 'https:' || isLoopback(hostname);
    return isSafe && `${search}${hash}${username}` === '';
  }, PROVIDER_URL);

/** Whether someone who signs in otherwise may add an account of the connector to theirs; by default they may. */
export const LinkingRule = z.boolean().optional();

/** The client that was registered at the provider; a secret stands here or in a file. */
export const clientSettings = {
  client_id: z.string().min(1).max(512),
  client_secret: z.string().min(1).optional(),
  client_secret_path: z.string().min(1).optional(),
};

/** What every redirect connector has. */
export const redirectSettings = {
  id: ConnectorId,
  name: ConnectorName,
  ...admissionShape,
  linking: LinkingRule,
  ...clientSettings,
  /** Turns away whoever has no e-mail address that the provider has verified. */
  require_verified_email: z.boolean().default(true),
  /** PEM file of the authorities behind the provider's certificate, if they aren't public ones. */
  certificate_authority_path: z.string().min(1).optional(),
};

/** The rules for who may come in, of a connector's settings. */
export const admissionOf = ({
  allowed_email_domains,
  sign_up,
}: AdmissionRules): AdmissionRules => ({
  allowed_email_domains,
  sign_up,
});

/** Settings that name files. */
export type SecretSettings = {
  readonly client_secret?: string | undefined;
  readonly client_secret_path?: string | undefined;
};

/** At most one of the two ways to give a secret. */
export const hasOneSecret = ({ client_secret, client_secret_path }: SecretSettings): boolean =>
  client_secret === undefined || client_secret_path === undefined;

/** What to say when there are two. */
export const TWO_SECRETS = 'Set client_secret or client_secret_path, not both.';

/** The secret, if there is one. @throws when its file can't be read */
export const readSecret = async (settings: SecretSettings): Promise<string | undefined> =>
  settings.client_secret_path === undefined
    ? settings.client_secret
    : (await readFile(settings.client_secret_path, 'utf8')).trimEnd();

/** The text of a file that may not be set. @throws when it can't be read */
export const readOptional = (path: string | undefined): Promise<string> | undefined =>
  path === undefined ? undefined : readFile(path, 'utf8');
