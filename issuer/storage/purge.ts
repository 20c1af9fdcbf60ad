/** Removes what has expired, a bounded number of rows at a time. */
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { CLOCK_SKEW_SECONDS } from '#domain/staleness.ts';
import type { Logger } from '#runtime/log.ts';
import { deleteForgottenDenials } from '../revocation/ended-grants.ts';

const INTERVAL_MS = 60_000;
const BATCH = 1_000;
const MAX_BATCHES = 50;

const Nothing = z.strictObject({});

/**
 * Purges every minute until disposed of. Replicas don't wait for each other: each skips the rows that
 * another is removing.
 */
export const startPurge = (database: CommonQueryMethods, log: Logger): AsyncDisposable => {
  let running = Promise.resolve();
  const run = () =>
    purgeExpired(database).then(
      (removed) => log.debug({ removed }, 'purged expired rows'),
      (error: unknown) => log.warn({ err: error }, 'expired rows could not be purged'),
    );
  const timer = setInterval(() => {
    running = running.then(run);
  }, INTERVAL_MS);
  return {
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await running;
    },
  };
};

/** Removes what has expired, at most 50,000 rows of each kind; returns how many. */
export const purgeExpired = async (database: CommonQueryMethods): Promise<number> => {
  let removed = 0;
  for (const remove of REMOVALS) {
    for (let batch = 0; batch < MAX_BATCHES; batch += 1) {
      const count = await remove(database);
      removed += count;
      if (count < BATCH) break;
    }
  }
  return removed;
};

const deleteExpiredArtifacts = async (db: CommonQueryMethods): Promise<number> => {
  const { rowCount } = await db.query(sql.type(Nothing)`
    DELETE FROM oidc_artifact a
    USING (
      SELECT model, id_hash FROM oidc_artifact
      WHERE expires_at < now() - make_interval(secs => ${CLOCK_SKEW_SECONDS})
      LIMIT ${BATCH} FOR UPDATE SKIP LOCKED
    ) expired
    WHERE a.model = expired.model AND a.id_hash = expired.id_hash
  `);
  return rowCount;
};

const deleteExpiredGrants = async (db: CommonQueryMethods): Promise<number> => {
  const { rowCount } = await db.query(sql.type(Nothing)`
    DELETE FROM oidc_grant g
    USING (
      SELECT id_hash FROM oidc_grant
      WHERE expires_at < now() - make_interval(secs => ${CLOCK_SKEW_SECONDS})
      LIMIT ${BATCH} FOR UPDATE SKIP LOCKED
    ) expired
    WHERE g.id_hash = expired.id_hash
  `);
  return rowCount;
};

const deleteExpiredCounters = async (db: CommonQueryMethods): Promise<number> => {
  const { rowCount } = await db.query(sql.type(Nothing)`
    DELETE FROM rate_limit r
    USING (
      SELECT key FROM rate_limit WHERE expire < ${Date.now()}::bigint
      LIMIT ${BATCH} FOR UPDATE SKIP LOCKED
    ) expired
    WHERE r.key = expired.key
  `);
  return rowCount;
};

const REMOVALS = [
  deleteExpiredArtifacts,
  deleteExpiredGrants,
  deleteExpiredCounters,
  (db: CommonQueryMethods) => deleteForgottenDenials(db, BATCH),
];
