/**
 * From an identity to a person: at the first sign-in it makes the person and their private
 * organization, later it brings name and e-mail up to date with the person's oldest identity. An e-mail
 * address never links accounts.
 */
import { type CommonQueryMethods, type DatabasePool, sql } from 'slonik';
import * as z from 'zod';
import { recordAudit } from '#database/changes.ts';
import { createId, formatId } from '#domain/identifiers.ts';
import { toSlug } from '#domain/slug.ts';
import type { UpstreamIdentity } from '../connectors/connector.ts';
import type { SignInContext } from '../http/request.ts';

/** Who signed in. */
export type SignedIn = { readonly personId: string; readonly suspended: boolean };

const AccountRow = z.strictObject({
  person_id: z.uuid(),
  suspended: z.boolean(),
  has_organization: z.boolean(),
});
type AccountRow = z.infer<typeof AccountRow>;
const Nothing = z.strictObject({});

/**
 * Finds or makes the person of an identity, in one transaction; any number of sign-ins at once make
 * one person with one private organization. Someone whom an import has added before already has a
 * person, and gets the organization now. For a suspended person it changes nothing.
 */
export const signUp = (
  database: DatabasePool,
  identity: UpstreamIdentity,
  context: SignInContext,
): Promise<SignedIn> =>
  database.transaction(async (transaction) => {
    const account =
      (await findAccount(transaction, identity)) ?? (await makePerson(transaction, identity));
    const signedIn = { personId: account.person_id, suspended: account.suspended };
    if (account.suspended) return signedIn;
    await markSignedIn(transaction, account.person_id);
    await updateProfile(transaction, account.person_id, identity);
    if (!account.has_organization) {
      await makePrivateOrganization(transaction, { ...signedIn, identity, context });
    }
    return signedIn;
  });

const findAccount = (
  db: CommonQueryMethods,
  { connector, subject }: UpstreamIdentity,
): Promise<AccountRow | null> =>
  db.maybeOne(sql.type(AccountRow)`
    SELECT p.id AS person_id, p.suspended_at IS NOT NULL AS suspended,
      EXISTS (SELECT FROM organization o WHERE o.personal_for = p.id) AS has_organization
    FROM identity i JOIN person p ON p.id = i.person_id
    WHERE i.connector = ${connector} AND i.subject = ${subject}
  `);

const makePerson = async (
  db: CommonQueryMethods,
  identity: UpstreamIdentity,
): Promise<AccountRow> => {
  await lockProvisioning(db, identity.connector);
  const existing = await findAccount(db, identity);
  if (existing) return existing;
  const personId = createId();
  await insertPerson(db, personId, identity);
  return { person_id: personId, suspended: false, has_organization: false };
};

/** The same lock as provision_people's, which adds people from an import. */
export const lockProvisioning = async (
  db: CommonQueryMethods,
  connector: string,
): Promise<void> => {
  await db.query(sql.type(z.unknown())`
    SELECT pg_advisory_xact_lock(hashtextextended('provision_people:' || ${connector}::text, 0))
  `);
};

const insertPerson = async (
  db: CommonQueryMethods,
  personId: string,
  { connector, subject, displayName, email, emailVerified }: UpstreamIdentity,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    INSERT INTO person (id, display_name, email, email_verified, first_signed_in_at)
    VALUES (${personId}, ${displayName}, ${email ?? null}, ${emailVerified}, now())
  `);
  await db.query(sql.type(Nothing)`
    INSERT INTO identity (connector, subject, person_id) VALUES (${connector}, ${subject}, ${personId})
  `);
};

/**
 * Brings name and e-mail of a person (UUID) up to date with what was heard of one of their identities. One
 * identity is the profile's, the oldest that they still have; what is said of others changes nothing, so
 * that an address in a token never changes because another way to sign in was used.
 */
export const updateProfile = async (
  db: CommonQueryMethods,
  personId: string,
  { connector, subject, displayName, email, emailVerified }: UpstreamIdentity,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    UPDATE person
    SET display_name = ${displayName}, email = ${email ?? null}, email_verified = ${emailVerified},
      updated_at = now()
    WHERE id = ${personId}
      AND (display_name, email, email_verified)
        IS DISTINCT FROM (${displayName}::text, ${email ?? null}::text, ${emailVerified}::boolean)
      AND (${connector}::text, ${subject}::text) = (
        SELECT i.connector, i.subject FROM identity i
        WHERE i.person_id = person.id
        ORDER BY i.created_at, i.connector, i.subject
        LIMIT 1
      )
  `);
};

/** Someone whom an import has added before signs in for the first time. */
const markSignedIn = async (db: CommonQueryMethods, personId: string): Promise<void> => {
  await db.query(sql.type(Nothing)`
    UPDATE person SET first_signed_in_at = now(), updated_at = now()
    WHERE id = ${personId} AND first_signed_in_at IS NULL
  `);
};

type NewOrganization = {
  readonly personId: string;
  readonly identity: UpstreamIdentity;
  readonly context: SignInContext;
};

const makePrivateOrganization = async (
  db: CommonQueryMethods,
  { personId, identity, context }: NewOrganization,
): Promise<void> => {
  const id = createId();
  const organization = { slug: uniqueSlug(identity.displayName, id), name: identity.displayName };
  if (!(await insertOrganization(db, { id, personId, ...organization }))) return;
  await insertOwner(db, id, personId);
  await recordAudit(db, {
    organizationId: id,
    workspaceId: null,
    actorId: personId,
    action: 'organization.create',
    targetId: id,
    after: { ...organization, personal: true },
    ...context,
  });
};

/** Readable, and unique by the random end of the organization's id. */
const uniqueSlug = (name: string, id: string): string =>
  `${toSlug(name, 'personal')}-${formatId('organization', id).slice(-8)}`;

type OrganizationRow = {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly personId: string;
};

/** False when another sign-in of the person has made it. */
const insertOrganization = async (
  db: CommonQueryMethods,
  { id, slug, name, personId }: OrganizationRow,
): Promise<boolean> => {
  const { rowCount } = await db.query(sql.type(Nothing)`
    INSERT INTO organization (id, slug, name, personal_for)
    VALUES (${id}, ${slug}, ${name}, ${personId})
    ON CONFLICT (personal_for) DO NOTHING
  `);
  return rowCount === 1;
};

const insertOwner = async (
  db: CommonQueryMethods,
  organizationId: string,
  personId: string,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    INSERT INTO organization_user (organization_id, person_id, role)
    VALUES (${organizationId}, ${personId}, 'owner')
  `);
};
