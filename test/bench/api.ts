/**
 * The API over HTTP: requests beside a bare Koa and `pg` handler that sends PostgreSQL the very same
 * statements, lists from a thousand to a million rows, and the import of a real organisation.
 */
import { benchApiImport } from './api/import.ts';
import { benchApiLists } from './api/lists.ts';
import { benchApiRequests } from './api/requests.ts';

/** Runs and prints the tables. */
export const benchApi = async (): Promise<void> => {
  await benchApiRequests();
  await benchApiImport();
  await benchApiLists();
};
