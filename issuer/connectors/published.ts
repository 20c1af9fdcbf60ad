/**
 * The table of connectors: what the tenancy API, and replicas with other settings, know of the issuer's. Each
 * replica says again and again which ones it has; what none has said for an hour is gone.
 */
import { type CommonQueryMethods, type DatabasePool, sql } from 'slonik';
import * as z from 'zod';
import type { Logger } from '#runtime/log.ts';
import type { Connector } from './connector.ts';

const Nothing = z.strictObject({});

type ConnectorRow = readonly [id: string, name: string, type: string, providesGroups: boolean];

const toRow = (connector: Connector): ConnectorRow =>
  connector.kind === 'password'
    ? [connector.id, connector.name, 'local', false]
    : [connector.id, connector.name, connector.type, connector.providesGroups === true];

/** How long a connector counts that no replica has any more: an update of all replicas takes less. */
const GONE_SECONDS = 60 * 60;
const INTERVAL_MS = 10 * 60_000;

/** Makes the table say that there are these connectors, and removes those that are gone. */
export const publishConnectors = (
  database: DatabasePool,
  connectors: readonly Connector[],
): Promise<void> =>
  database.transaction(async (transaction) => {
    // Replicas may have them in different orders, and must not wait for each other in a circle.
    const rows = connectors.map(toRow).toSorted(([one], [other]) => (one < other ? -1 : 1));
    await upsert(transaction, rows);
    await deleteGone(transaction);
  });

/** Publishes every ten minutes until disposed of. */
export const keepPublished = (
  database: DatabasePool,
  connectors: readonly Connector[],
  log: Logger,
): AsyncDisposable => {
  let running = Promise.resolve();
  const run = () =>
    publishConnectors(database, connectors).catch((error: unknown) =>
      log.warn({ err: error }, 'the connectors could not be published'),
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

/** Whether a replica has the connector, as far as is known. */
export const isPublished = (db: CommonQueryMethods, id: string): Promise<boolean> =>
  db.exists(sql.type(Nothing)`
    SELECT FROM connector
    WHERE id = ${id} AND published_at > now() - make_interval(secs => ${GONE_SECONDS})
  `);

const deleteGone = async (db: CommonQueryMethods): Promise<void> => {
  await db.query(sql.type(Nothing)`
    DELETE FROM connector WHERE published_at <= now() - make_interval(secs => ${GONE_SECONDS})
  `);
};

const upsert = async (db: CommonQueryMethods, rows: readonly ConnectorRow[]): Promise<void> => {
  await db.query(sql.type(Nothing)`
    INSERT INTO connector (id, name, type, provides_groups)
    SELECT * FROM ${sql.unnest(rows, ['text', 'text', 'text', 'bool'])}
    ON CONFLICT (id) DO UPDATE SET
      name = excluded.name, type = excluded.type, provides_groups = excluded.provides_groups,
      published_at = excluded.published_at
  `);
};
