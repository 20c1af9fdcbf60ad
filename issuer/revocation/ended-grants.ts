/** Rows of ended_grant, which the database writes by itself whenever a grant is removed before its time. */
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { LONGEST_TOKEN_SECONDS } from '#domain/authentication-configuration.ts';
import { APISERVER_TOKEN_CACHE_SECONDS, CLOCK_SKEW_SECONDS } from '#domain/staleness.ts';

/**
 * For how long the tokens of an ended grant are refused, in seconds: as long as a cluster could take the
 * longest of them, also one whose request was under way when the grant ended.
 */
export const DENIAL_SECONDS =
  LONGEST_TOKEN_SECONDS + APISERVER_TOKEN_CACHE_SECONDS + 6 * CLOCK_SKEW_SECONDS;

const EndedGrantRow = z.strictObject({
  id_hash: z.instanceof(Buffer),
  client_id: z.string(),
  age_seconds: z.number(),
});

/** A grant that ended `age_seconds` ago. */
export type EndedGrant = z.infer<typeof EndedGrantRow>;

/** The grants that ended within the last so many seconds. */
export const listEndedGrants = (
  db: CommonQueryMethods,
  seconds: number,
): Promise<readonly EndedGrant[]> =>
  db.any(sql.prepared('issuer_ended_grants', EndedGrantRow)`
    SELECT id_hash, client_id,
      extract(epoch FROM clock_timestamp() - ended_at)::double precision AS age_seconds
    FROM ended_grant
    WHERE ended_at > clock_timestamp() - make_interval(secs => ${seconds}::double precision)
  `);

/** Removes those of which no token can be left; returns how many. @param limit at most so many */
export const deleteForgottenDenials = async (
  db: CommonQueryMethods,
  limit: number,
): Promise<number> => {
  const { rowCount } = await db.query(sql.type(z.strictObject({}))`
    DELETE FROM ended_grant e
    USING (
      SELECT id_hash FROM ended_grant
      WHERE ended_at < now() - make_interval(secs => ${DENIAL_SECONDS})
      LIMIT ${limit} FOR UPDATE SKIP LOCKED
    ) forgotten
    WHERE e.id_hash = forgotten.id_hash
  `);
  return rowCount;
};
