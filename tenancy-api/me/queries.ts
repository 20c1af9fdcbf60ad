import { type CommonQueryMethods, sql } from 'slonik';
import { MeRow } from './schema.ts';

/** A person by id. */
export const getPerson = (db: CommonQueryMethods, personId: string): Promise<MeRow> =>
  db.one(sql.type(MeRow)`
    SELECT id, display_name, email, email_verified, created_at
    FROM person
    WHERE id = ${personId}
  `);
