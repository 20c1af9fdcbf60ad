/** Rows of upstream_account: what a provider said last of an identity, and when to ask it again. */
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';

const Nothing = z.strictObject({});

/** The key of an account: never an e-mail address. */
export type IdentityKey = { readonly connector: string; readonly subject: string };

/** What is stored of what a provider said; times in seconds. */
export type Seen = {
  readonly groups: readonly string[];
  readonly sealedCredential: Buffer | null;
  /** From now, until it is asked again or counts no more; `null`: neither matters. */
  readonly lookIn: number | null;
};

/** Stores what a provider says of an identity of a person (UUID). */
export const upsertUpstreamAccount = async (
  db: CommonQueryMethods,
  { connector, subject, personId }: IdentityKey & { readonly personId: string },
  { groups, sealedCredential, lookIn }: Seen,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    INSERT INTO upstream_account (connector, subject, person_id, groups, sealed_credential, look_at)
    VALUES (
      ${connector}, ${subject}, ${personId}, ${sql.array([...groups], 'text')},
      ${sealedCredential && sql.binary(sealedCredential)}, now() + make_interval(secs => ${lookIn})
    )
    ON CONFLICT (connector, subject) DO UPDATE SET
      person_id = excluded.person_id, groups = excluded.groups,
      sealed_credential = excluded.sealed_credential, seen_at = excluded.seen_at,
      look_at = excluded.look_at, looking_until = NULL
  `);
};

/** Forgets what a provider said of an identity. */
export const deleteUpstreamAccount = async (
  db: CommonQueryMethods,
  { connector, subject }: IdentityKey,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    DELETE FROM upstream_account WHERE connector = ${connector} AND subject = ${subject}
  `);
};

const ClaimedRow = z.strictObject({
  connector: z.string(),
  subject: z.string(),
  sealed_credential: z.instanceof(Buffer).nullable(),
  lease: z.string(),
});

/** An identity whose provider is to be asked, and the lease of whoever asks. */
export type ClaimedAccount = z.infer<typeof ClaimedRow>;

/**
 * Takes over asking about a person's identities that are due, for some seconds; nobody else gets them
 * meanwhile, on whatever replica.
 */
export const claimDueAccounts = (
  db: CommonQueryMethods,
  personId: string,
  leaseSeconds: number,
): Promise<readonly ClaimedAccount[]> =>
  db.any(sql.type(ClaimedRow)`
    UPDATE upstream_account
    SET looking_until = now() + make_interval(secs => ${leaseSeconds})
    WHERE person_id = ${personId} AND look_at <= now()
      AND (looking_until IS NULL OR looking_until <= now())
    RETURNING connector, subject, sealed_credential, looking_until::text AS lease
  `);

/**
 * Whether an identity is still to be asked about by whoever has this lease: somebody may have signed in with
 * it since, or asks in their place. Nobody else writes it until the transaction ends.
 */
export const holdsLease = async (
  db: CommonQueryMethods,
  { connector, subject, lease }: IdentityKey & Pick<ClaimedAccount, 'lease'>,
): Promise<boolean> => {
  const { rowCount } = await db.query(sql.type(Nothing)`
    SELECT FROM upstream_account
    WHERE connector = ${connector} AND subject = ${subject}
      AND looking_until = ${lease}::timestamptz
    FOR UPDATE
  `);
  return rowCount === 1;
};

const KeyRow = z.strictObject({ connector: z.string(), subject: z.string() });

/** The identities of a person that are still to be asked about. */
export const listDueAccounts = (
  db: CommonQueryMethods,
  personId: string,
): Promise<readonly IdentityKey[]> =>
  db.any(sql.type(KeyRow)`
    SELECT connector, subject FROM upstream_account
    WHERE person_id = ${personId} AND look_at <= now()
  `);

const AgeRow = z.strictObject({ too_old: z.boolean() });

/** How a look is put off; times in seconds. */
export type Postponement = {
  readonly retrySeconds: number;
  readonly maxAgeSeconds: number;
  /** Whether somebody still waits for its answer, and keeps others from asking. */
  readonly stillAsked: boolean;
};

/**
 * Writes down that a provider couldn't be asked: it is asked again after some seconds, and what it said
 * before counts until that is too old. Does nothing when it has answered meanwhile.
 *
 * @returns whether what it said before counts no more
 */
export const postponeLook = async (
  db: CommonQueryMethods,
  { connector, subject }: IdentityKey,
  { retrySeconds, maxAgeSeconds, stillAsked }: Postponement,
): Promise<boolean> => {
  const tooOld = sql.fragment`seen_at + make_interval(secs => ${maxAgeSeconds}) <= now()`;
  const retryAt = sql.fragment`now() + make_interval(secs => ${retrySeconds})`;
  const rows = await db.anyFirst(sql.type(AgeRow)`
    UPDATE upstream_account
    SET groups = CASE WHEN ${tooOld} THEN '{}' ELSE groups END,
      look_at = CASE
        WHEN ${tooOld} THEN ${retryAt}
        ELSE least(${retryAt}, seen_at + make_interval(secs => ${maxAgeSeconds}))
      END,
      looking_until = CASE WHEN ${stillAsked} THEN looking_until END
    WHERE connector = ${connector} AND subject = ${subject} AND look_at <= now()
    RETURNING ${tooOld} AS too_old
  `);
  return rows.includes(true);
};

/** Ends what follows from an identity: its groups and what it was asked again with. */
export const endUpstreamAccount = async (
  db: CommonQueryMethods,
  { connector, subject }: IdentityKey,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    UPDATE upstream_account
    SET groups = '{}', sealed_credential = NULL, look_at = NULL, looking_until = NULL
    WHERE connector = ${connector} AND subject = ${subject}
  `);
};
