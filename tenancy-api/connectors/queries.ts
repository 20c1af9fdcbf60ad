import { type CommonQueryMethods, sql } from 'slonik';
import { ConnectorRow } from './schema.ts';

/** The connectors that the issuer has, by id. They are as many as a sign-in page shows. */
export const listConnectors = (db: CommonQueryMethods): Promise<readonly ConnectorRow[]> =>
  db.any(sql.type(ConnectorRow)`
    SELECT id, name, type, provides_groups
    FROM connector
    ORDER BY id
  `);
