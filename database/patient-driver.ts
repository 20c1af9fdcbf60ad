/**
 * The pool's driver, with an end to its patience. PostgreSQL's own statement_timeout doesn't help when the
 * network swallows the answer: the client would wait for ever, and everyone behind it for a connection.
 */
import { createPgDriverFactory } from '@slonik/pg-driver';
import type { DriverClient, DriverFactory } from 'slonik';
import { DatabaseUnavailableError } from './outage.ts';

/**
 * The usual driver, in which a query without an answer ends after `queryMs`, and takes its connection along.
 * While connecting fails one caller tries and the others are refused at once, so that nobody queues up
 * behind a database that is gone.
 *
 * @param queryMs longer than the server's statement_timeout, which tells more
 */
export const createPatientDriver =
  (queryMs: number): DriverFactory =>
  async (options) => {
    const driver = await createPgDriverFactory()(options);
    let failing: unknown;
    let connecting = 0;
    return {
      ...driver,
      createClient: async () => {
        if (failing !== undefined && connecting > 0) {
          throw new DatabaseUnavailableError('the database can’t be reached', { cause: failing });
        }
        connecting += 1;
        try {
          const client = await driver.createClient();
          failing = undefined;
          return withTimeout(client, queryMs);
        } catch (error) {
          failing = error;
          throw error;
        } finally {
          connecting -= 1;
        }
      },
    };
  };

const withTimeout = (client: DriverClient, queryMs: number): DriverClient => {
  let hangs = false;
  return {
    ...client,
    query: async (sql, values, queryOptions) => {
      const late = Promise.withResolvers<never>();
      const timer = setTimeout(() => {
        hangs = true;
        late.reject(new DatabaseUnavailableError(`the database gave no answer in ${queryMs} ms`));
      }, queryMs);
      try {
        return await Promise.race([client.query(sql, values, queryOptions), late.promise]);
      } finally {
        clearTimeout(timer);
      }
    },
    destroy: async () => {
      const destroyed = client.destroy();
      // A connection that hangs takes its time to end; whoever waited for it has waited enough.
      if (hangs) destroyed.catch(() => {});
      else await destroyed;
    },
  };
};
