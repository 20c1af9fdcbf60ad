/** The table of connectors: what the tenancy API knows of the issuer's settings. */
import { type CommonQueryMethods, type DatabasePool, sql } from 'slonik';
import * as z from 'zod';
import type { Connector } from './connector.ts';

const Nothing = z.strictObject({});

type ConnectorRow = readonly [id: string, name: string, type: string, providesGroups: boolean];

const toRow = (connector: Connector): ConnectorRow =>
  connector.kind === 'password'
    ? [connector.id, connector.name, 'local', false]
    : [connector.id, connector.name, connector.type, connector.providesGroups === true];

/** Makes the table say which connectors there are: these, and no others. */
export const publishConnectors = (
  database: DatabasePool,
  connectors: readonly Connector[],
): Promise<void> =>
  database.transaction(async (transaction) => {
    await deleteOthers(
      transaction,
      connectors.map(({ id }) => id),
    );
    await upsert(transaction, connectors.map(toRow));
  });

const deleteOthers = async (db: CommonQueryMethods, ids: readonly string[]): Promise<void> => {
  await db.query(sql.type(Nothing)`
    DELETE FROM connector WHERE NOT (id = ANY (${sql.array([...ids], 'text')}))
  `);
};

const upsert = async (db: CommonQueryMethods, rows: readonly ConnectorRow[]): Promise<void> => {
  await db.query(sql.type(Nothing)`
    INSERT INTO connector (id, name, type, provides_groups)
    SELECT * FROM ${sql.unnest(rows, ['text', 'text', 'text', 'bool'])}
    ON CONFLICT (id) DO UPDATE SET
      name = excluded.name, type = excluded.type, provides_groups = excluded.provides_groups
  `);
};
