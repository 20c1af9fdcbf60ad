/**
 * The ways in which a person signs in: one identity at a connector for each. Another is linked by whoever
 * is signed in and has just proven that it is theirs, never by an e-mail address; and one always stays.
 */
import { type CommonQueryMethods, type DatabaseTransactionConnection, sql } from 'slonik';
import * as z from 'zod';
import { recordAudit } from '#database/changes.ts';
import type { UpstreamSignIn } from '../connectors/connector.ts';
import type { SignInContext } from '../http/request.ts';
import { lockProvisioning } from '../people/sign-up.ts';
import type { IdentityKey } from '../people/upstream/accounts.ts';
import { bringMembershipsInLine } from '../people/upstream/mapped-memberships.ts';
import { rememberSignIn, type UpstreamDeps } from '../people/upstream/remember.ts';
import { findPrivateOrganization } from './queries.ts';

const IdentityRow = z.strictObject({ connector: z.string(), subject: z.string() });
const OwnerRow = z.strictObject({ person_id: z.uuid() });
const Nothing = z.strictObject({});

/** A person and the request in which they change something. */
export type Change = { readonly personId: string; readonly context: SignInContext };

/** The identities of a person (UUID), the oldest first. */
export const listIdentities = (
  db: CommonQueryMethods,
  personId: string,
): Promise<readonly IdentityKey[]> =>
  db.any(sql.type(IdentityRow)`
    SELECT connector, subject FROM identity WHERE person_id = ${personId}
    ORDER BY created_at, connector, subject
  `);

/**
 * Makes an identity, just proven, one more way in which the person signs in.
 *
 * @returns `taken` when it is somebody else's, who keeps it
 */
export const linkIdentity = (
  deps: UpstreamDeps,
  signIn: UpstreamSignIn,
  change: Change,
): Promise<'linked' | 'taken'> =>
  deps.database.transaction(async (transaction) => {
    const { connector, subject } = signIn.identity;
    const { personId, context } = change;
    // Somebody may be signing up with it just now.
    await lockProvisioning(transaction, connector);
    const owner = await findOwner(transaction, { connector, subject });
    if (owner !== null && owner !== personId) return 'taken';
    if (owner === null) {
      await insertIdentity(transaction, personId, { connector, subject });
      await record(transaction, change, { action: 'identity.link', after: { connector, subject } });
    }
    const person = { connector, subject, personId };
    await rememberSignIn(transaction, deps, { person, signIn, context });
    return 'linked';
  });

/**
 * Takes an identity from the person, with the groups that its provider gave. One stays with which they can
 * still sign in, also when two are taken at once.
 *
 * @param transaction what is done to the person's sign-ins belongs into the same
 * @param connectors ids of those that there are
 */
export const unlinkIdentity = async (
  transaction: DatabaseTransactionConnection,
  { key, connectors }: { readonly key: IdentityKey; readonly connectors: ReadonlySet<string> },
  change: Change,
): Promise<'unlinked' | 'last' | 'unknown'> => {
  const { personId, context } = change;
  await lockIdentities(transaction, personId);
  const identities = await listIdentities(transaction, personId);
  if (!identities.some((each) => isSame(each, key))) return 'unknown';
  if (!canLose(identities, key, connectors)) return 'last';
  await deleteIdentity(transaction, personId, key);
  await bringMembershipsInLine(transaction, personId, context);
  await record(transaction, change, { action: 'identity.unlink', before: { ...key } });
  return 'unlinked';
};

/** Whether a person can still sign in without one of their identities. */
export const canLose = (
  identities: readonly IdentityKey[],
  key: IdentityKey,
  connectors: ReadonlySet<string>,
): boolean => identities.some((each) => !isSame(each, key) && connectors.has(each.connector));

const isSame = (one: IdentityKey, other: IdentityKey): boolean =>
  one.connector === other.connector && one.subject === other.subject;

const record = async (
  db: CommonQueryMethods,
  { personId, context }: Change,
  what: Pick<Parameters<typeof recordAudit>[1], 'action' | 'before' | 'after'>,
): Promise<void> => {
  await recordAudit(db, {
    organizationId: await findPrivateOrganization(db, personId),
    workspaceId: null,
    actorId: personId,
    targetId: personId,
    ...what,
    ...context,
  });
};

const findOwner = (
  db: CommonQueryMethods,
  { connector, subject }: IdentityKey,
): Promise<string | null> =>
  db.maybeOneFirst(sql.type(OwnerRow)`
    SELECT person_id FROM identity WHERE connector = ${connector} AND subject = ${subject}
  `);

const insertIdentity = async (
  db: CommonQueryMethods,
  personId: string,
  { connector, subject }: IdentityKey,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    INSERT INTO identity (connector, subject, person_id) VALUES (${connector}, ${subject}, ${personId})
  `);
};

const lockIdentities = async (db: CommonQueryMethods, personId: string): Promise<void> => {
  await db.query(sql.type(z.unknown())`
    SELECT pg_advisory_xact_lock(hashtextextended('identities:' || ${personId}::text, 0))
  `);
};

const deleteIdentity = async (
  db: CommonQueryMethods,
  personId: string,
  { connector, subject }: IdentityKey,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    DELETE FROM identity
    WHERE person_id = ${personId} AND connector = ${connector} AND subject = ${subject}
  `);
};
