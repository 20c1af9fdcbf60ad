/** People as the protocol sees them: who may get tokens, asked anew each time one is issued. */
import { type Account, errors, type FindAccount, type KoaContextWithOIDC } from 'oidc-provider';
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { parseId } from '#domain/identifiers.ts';
import { toClaims } from '../protocol/claims.ts';
import { resolveMembership } from './groups.ts';
import { type Closure, describeClosure, findClosure } from './workspace-closure.ts';

const PersonRow = z.strictObject({
  display_name: z.string(),
  email: z.string().nullable(),
  email_verified: z.boolean(),
});

/** What claims and pages say about a person. */
export type Person = z.infer<typeof PersonRow>;

/**
 * Finds the person behind a `sub`. Answers nothing, and so ends every grant, refreshes included, for
 * someone who is suspended or removed; and where a token of a workspace's client is at stake, for
 * someone who isn't a member of that workspace, and for everyone while the workspace is closed.
 */
export const createFindAccount =
  (database: CommonQueryMethods): FindAccount =>
  async (ctx, sub, token): Promise<Account | undefined> => {
    const personId = parseId('person', sub);
    if (personId === undefined) return undefined;
    const clientId = ctx.oidc.client?.clientId;
    const workspaceId = token && clientId ? parseId('workspace', clientId) : undefined;
    const [person, membership, closure] = await Promise.all([
      findActivePerson(database, personId),
      workspaceId ? resolveMembership(database, personId, workspaceId) : undefined,
      workspaceId ? findClosure(database, workspaceId) : undefined,
    ]);
    if (!person || (workspaceId && !membership)) return undefined;
    if (closure) return refuse(ctx, closure);
    const claims = toClaims({ sub, person, clientId, membership });
    return { accountId: sub, claims: () => claims };
  };

/** A member's client is told why; the refresh token stays, for when the workspace is open again. */
const refuse = (ctx: KoaContextWithOIDC, closure: Closure): undefined => {
  if (ctx.oidc.route !== 'token') return undefined;
  throw new errors.CustomOIDCProviderError('invalid_grant', describeClosure(closure));
};

/** The person, unless suspended or unknown. */
export const findActivePerson = (
  db: CommonQueryMethods,
  personId: string,
): Promise<Person | null> =>
  db.maybeOne(sql.prepared('issuer_active_person', PersonRow)`
    SELECT display_name, email, email_verified FROM person
    WHERE id = ${personId}::uuid AND suspended_at IS NULL
  `);
