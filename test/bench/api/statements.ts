/** What a request asks PostgreSQL, taken down at the driver, so that a peer can ask the very same. */
import pg from 'pg';

/** One statement with its parameters. */
export type Statement = { readonly text: string; readonly values: readonly unknown[] };

/**
 * Takes down every statement of this process from now on.
 *
 * @returns gives what was taken down since the last call, and goes on
 */
export const recordStatements = (): (() => Statement[]) => {
  let taken: Statement[] = [];
  const { query } = pg.Client.prototype as unknown as { query: (...args: unknown[]) => unknown };
  const record = function (this: pg.Client, ...args: unknown[]): unknown {
    const [first, second] = args as [unknown, unknown];
    const config = typeof first === 'string' ? { text: first } : (first as Partial<Statement>);
    const values = config.values ?? (Array.isArray(second) ? second : []);
    taken.push({ text: config.text ?? '', values });
    return query.apply(this, args);
  };
  Object.assign(pg.Client.prototype, { query: record });
  return () => {
    const result = taken;
    taken = [];
    return result;
  };
};
