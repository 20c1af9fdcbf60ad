/** Rows of browsers' sessions, which are artifacts known by their uid. */
import { randomBytes } from 'node:crypto';
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';

const SessionRow = z.strictObject({
  id_hash: z.instanceof(Buffer),
  uid_hash: z.instanceof(Buffer),
  sealed_payload: z.instanceof(Buffer),
});
const Nothing = z.strictObject({});

/** A stored session. */
export type SessionRow = z.infer<typeof SessionRow>;

/** The sessions of a person that haven't ended, the newest first. @param personId UUID */
export const listSessions = (
  db: CommonQueryMethods,
  personId: string,
): Promise<readonly SessionRow[]> =>
  db.any(sql.type(SessionRow)`
    SELECT id_hash, uid_hash, sealed_payload FROM oidc_artifact
    WHERE model = 'Session' AND account_id = ${personId} AND consumed_at IS NULL
      AND expires_at > now()
    ORDER BY created_at DESC
  `);

/**
 * Marks a session as ended for as long as one can last, so that a request under way, which writes its
 * session when it is done, doesn't bring it back.
 *
 * @param seconds how long a session lasts at most
 */
export const markSessionEnded = async (
  db: CommonQueryMethods,
  uidHash: Buffer,
  seconds: number,
): Promise<void> => {
  await db.query(sql.type(Nothing)`
    INSERT INTO oidc_artifact (model, id_hash, uid_hash, sealed_payload, consumed_at, expires_at)
    VALUES (
      'Session', ${sql.binary(randomBytes(uidHash.length))}, ${sql.binary(uidHash)}, '', now(),
      now() + make_interval(secs => ${seconds})
    )
    ON CONFLICT (model, uid_hash) DO UPDATE SET
      id_hash = excluded.id_hash, account_id = NULL, sealed_payload = '',
      consumed_at = excluded.consumed_at, expires_at = excluded.expires_at
  `);
};
