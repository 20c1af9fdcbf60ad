/** Keeps what a provider says of someone, with what follows from it, in one transaction. */
import { type CommonQueryMethods, type DatabasePool, sql } from 'slonik';
import * as z from 'zod';
import type { Encryption } from '#runtime/encryption.ts';
import type { UpstreamCredential, UpstreamSignIn } from '../../connectors/connector.ts';
import type { SignInContext } from '../../http/request.ts';
import { listSessions, type SessionRow } from '../../storage/session-rows.ts';
import {
  deleteUpstreamAccount,
  endUpstreamAccount,
  type IdentityKey,
  upsertUpstreamAccount,
} from './accounts.ts';
import { bringMembershipsInLine } from './mapped-memberships.ts';

/** How old what a provider said may be, in seconds. */
export type UpstreamAges = {
  /** Then it is asked again. */
  readonly refreshSeconds: number;
  /** Then what it said counts no more, when it couldn't be asked again. */
  readonly maxAgeSeconds: number;
};

/** What is needed to keep what providers say. */
export type UpstreamDeps = {
  readonly database: DatabasePool;
  readonly encryption: Encryption;
  readonly ages: UpstreamAges;
};

/** Whose account at a provider. `personId` is a UUID. */
export type UpstreamPerson = IdentityKey & { readonly personId: string };

const Credential = z.strictObject({
  kind: z.enum(['refresh_token', 'access_token']),
  value: z.string(),
});

/** What a credential at a provider is sealed for. */
export const purposeOfCredential = ({ connector, subject }: IdentityKey): string =>
  `upstream-credential:${JSON.stringify([connector, subject])}`;

/** Opens what {@link rememberSignIn} has sealed. @throws when it was sealed for another identity */
export const openCredential = (
  encryption: Encryption,
  key: IdentityKey,
  sealed: Buffer,
): UpstreamCredential =>
  Credential.parse(JSON.parse(encryption.open(purposeOfCredential(key), sealed)));

/**
 * Stores what a provider has just said of a person, and gives and takes the memberships that follow
 * from it. Of a provider that tells no groups and can't be asked again nothing is kept.
 */
export const rememberSignIn = async (
  db: CommonQueryMethods,
  { encryption, ages }: Pick<UpstreamDeps, 'encryption' | 'ages'>,
  { person, signIn, context }: RememberedSignIn,
): Promise<void> => {
  const { credential, groups = [] } = signIn;
  if (credential === undefined && groups.length === 0) {
    await deleteUpstreamAccount(db, person);
  } else {
    await upsertUpstreamAccount(db, person, {
      groups: [...new Set(groups)],
      sealedCredential: credential
        ? encryption.seal(purposeOfCredential(person), JSON.stringify(credential))
        : null,
      lookIn: credential ? ages.refreshSeconds : ages.maxAgeSeconds,
    });
  }
  await bringMembershipsInLine(db, person.personId, context);
};

/** What is remembered, of whom, and for which request. */
export type RememberedSignIn = {
  readonly person: UpstreamPerson;
  readonly signIn: Pick<UpstreamSignIn, 'groups' | 'credential'>;
  readonly context: SignInContext;
};

/**
 * The provider has taken someone back: what followed from its word ends, and with it every sign-in of
 * the person until now, in browsers and programs. Call it in a transaction.
 *
 * @returns the browsers' sessions that there are: they count no more, but web clients are still to be told
 */
export const endSignIns = async (
  db: CommonQueryMethods,
  person: UpstreamPerson,
  context: SignInContext,
): Promise<readonly SessionRow[]> => {
  await endUpstreamAccount(db, person);
  await bringMembershipsInLine(db, person.personId, context);
  await markSignedOut(db, person.personId);
  await deleteGrants(db, person.personId);
  return listSessions(db, person.personId);
};

const Nothing = z.strictObject({});

/**
 * Makes every sign-in of a person (UUID) until now count no more: also one that came in the second of the last
 * time, and counts as of the next.
 */
export const markSignedOut = async (db: CommonQueryMethods, personId: string): Promise<void> => {
  await db.query(sql.type(Nothing)`
    UPDATE person SET signed_out_at = greatest(
      now(), date_trunc('second', signed_out_at) + interval '1 second 1 microsecond'
    )
    WHERE id = ${personId}
  `);
};

/** Makes every sign-in of a person (UUID) before another one, in seconds since 1970, count no more. */
export const markSignedOutBefore = async (
  db: CommonQueryMethods,
  personId: string,
  signedInAt: number,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    UPDATE person SET signed_out_at = greatest(signed_out_at, to_timestamp(${signedInAt}))
    WHERE id = ${personId}
  `);
};

const deleteGrants = async (db: CommonQueryMethods, personId: string): Promise<void> => {
  await db.query(sql.type(Nothing)`
    DELETE FROM oidc_grant WHERE account_id = ${personId}
  `);
};
