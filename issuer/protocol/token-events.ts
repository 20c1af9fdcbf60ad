/**
 * What happens to tokens, in the audit log and in the log's lines: which client, which sign-in, which token, by
 * identifiers that are nobody's name and sign nobody in.
 */
import type { KoaContextWithOIDC } from 'oidc-provider';
import { type DatabasePool, sql } from 'slonik';
import * as z from 'zod';
import { recordAudit } from '#database/changes.ts';
import { parseId } from '#domain/identifiers.ts';
import { requestIdOf } from '../http/request.ts';
import { hash } from '../storage/adapter.ts';

/** Identifiers of a token request; what it has not got so far is left out. */
export type TokenIds = {
  readonly client_id?: string;
  /** SHA-256 of the grant's id, as the claim `grant` of its ID tokens has it. */
  readonly grant?: string;
  /** The browser's session, as the claim `sid` has it. */
  readonly session?: string;
  /** SHA-256 of the code or refresh token that was presented. */
  readonly token_hash?: string;
};

/** The identifiers of the request that is under way, for anything that the provider answers. */
export const tokenIdsOf = (ctx: object): TokenIds => {
  const { client, entities } = (ctx as Partial<KoaContextWithOIDC>).oidc ?? {};
  const presented =
    entities?.RotatedRefreshToken ??
    entities?.RefreshToken ??
    entities?.AuthorizationCode ??
    entities?.DeviceCode;
  const { jti, grantId, sid } = presented ?? {};
  return {
    ...(client && { client_id: client.clientId }),
    ...(grantId && { grant: toHash(grantId) }),
    ...(sid && { session: sid }),
    ...(jti && { token_hash: toHash(jti) }),
  };
};

const toHash = (id: string): string => hash(id).toString('base64url');

/** An event of a token. Ids are UUIDs. */
export type TokenEvent = {
  readonly action: 'token.refuse-overage' | 'token.refuse-reuse';
  readonly organizationId: string | null;
  readonly workspaceId: string | null;
  /** `null`: a service account. */
  readonly actorId: string | null;
  readonly targetId: string;
  /** What else is to be known, without names, e-mail or IP addresses. */
  readonly details?: Readonly<Record<string, number>>;
};

/** Writes an event into the audit log, with the identifiers of the request. */
export const recordTokenEvent = (
  database: DatabasePool,
  ctx: KoaContextWithOIDC,
  { details, ...event }: TokenEvent,
): Promise<void> =>
  database.transaction((transaction) =>
    recordAudit(transaction, {
      ...event,
      after: { ...details, ...tokenIdsOf(ctx) },
      requestId: requestIdOf(ctx),
      ip: null,
    }),
  );

const OrganizationRow = z.strictObject({ id: z.uuid() });

/**
 * Whose audit log an event of a client and a person belongs into: the workspace's organization, or for other
 * clients the person's private one; `null` when that is gone.
 *
 * @param personId UUID
 */
export const findEventOwner = async (
  database: DatabasePool,
  clientId: string,
  personId: string,
): Promise<{ readonly organizationId: string | null; readonly workspaceId: string | null }> => {
  const workspaceId = parseId('workspace', clientId) ?? null;
  const organizationId =
    workspaceId === null
      ? await database.maybeOneFirst(sql.type(OrganizationRow)`
          SELECT id FROM organization WHERE personal_for = ${personId}::uuid
        `)
      : await database.maybeOneFirst(sql.type(OrganizationRow)`
          SELECT organization_id AS id FROM workspace WHERE id = ${workspaceId}::uuid
        `);
  return { organizationId, workspaceId };
};
