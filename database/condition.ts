import { type FragmentSqlToken, sql } from 'slonik';

const ANY_ROW = sql.fragment`true`;

/**
 * A condition of a query that holds only when there is something to compare with. It makes another text,
 * and so another statement with a plan of its own, where `$1 IS NULL OR a = $1` has one plan for both
 * that can't use an index.
 */
export const ifGiven = <Value>(
  value: Value | null | undefined,
  toCondition: (value: Value) => FragmentSqlToken,
): FragmentSqlToken => (value === null || value === undefined ? ANY_ROW : toCondition(value));

/**
 * Whether what was given for a time still counts.
 *
 * @param row the name of the table in the query
 */
export const isCurrent = (row: FragmentSqlToken): FragmentSqlToken =>
  sql.fragment`(${row}.expires_at IS NULL OR ${row}.expires_at > now())`;
