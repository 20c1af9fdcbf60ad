/**
 * Who the platform is when it asks a cluster whether it takes the issuer's tokens: a subject in the shape of
 * public identifiers, as the cluster demands it, of a kind that no person and no service account has.
 */
import { formatId, PREFIXES } from './identifiers.ts';

/** The OAuth client that gets the tokens of probes, and no others. */
export const PROBE_CLIENT_ID = 'hexabase-rbac-sync';

/** The parameter that says which key signs the token of a probe, and its only value. */
export const KEY_PARAMETER = 'signing_key';
export const NEWEST_KEY = 'newest';

/** The life of a probe's token, in seconds. */
export const PROBE_TOKEN_SECONDS = 60;

/**
 * The public identifier of no workspace: all bits are zero, which no UUIDv7 is. A token for it must be refused
 * everywhere.
 */
export const NOBODYS_AUDIENCE = formatId('workspace', '00000000-0000-0000-0000-000000000000');

/**
 * The subject of a workspace's probes.
 *
 * @param audience public identifier of the workspace
 */
export const toProbeSubject = (audience: string): string =>
  `probe_${audience.slice(PREFIXES.workspace.length + 1)}`;
