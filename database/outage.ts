/** Which errors mean that the database can't be reached or doesn't answer, and not that a statement was wrong. */
import {
  BackendTerminatedError,
  BackendTerminatedUnexpectedlyError,
  ConnectionError,
  IdleTransactionTimeoutError,
  StatementTimeoutError,
} from 'slonik';

/** The database did not answer in time, or didn't a moment ago and is being tried by someone else. */
export class DatabaseUnavailableError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DatabaseUnavailableError';
  }
}

const KINDS = [
  DatabaseUnavailableError,
  ConnectionError,
  BackendTerminatedError,
  BackendTerminatedUnexpectedlyError,
  IdleTransactionTimeoutError,
  StatementTimeoutError,
];

// PostgreSQL's classes 08 (connection), 53 (resources) and 57P (shutdown, crash, starting up), and 25006:
// after a failover the old primary is read-only for a while.
const SQLSTATE = /^(08...|53...|57P0[1-5]|25006)$/;

const SYSTEM_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

// What the pool says, without a kind of its own, of a connection that broke under someone's hands.
const MESSAGES =
  /^(Client is (pending destroy|destroyed)\.|Client has encountered a connection error and is not queryable|timeout expired|Cannot use released connection)/;

const DEPTH = 5;

/**
 * Whether an error, or one of those that caused it, is the database's absence: worth trying again in a
 * moment.
 *
 * @param error of a pool's method
 */
export const isOutage = (error: unknown): boolean => {
  let current = error;
  for (let depth = 0; depth < DEPTH && current instanceof Error; depth += 1) {
    if (isOutageItself(current)) return true;
    current = current.cause;
  }
  return false;
};

const isOutageItself = (error: Error): boolean => {
  if (KINDS.some((kind) => error instanceof kind) || MESSAGES.test(error.message)) return true;
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  if (typeof code !== 'string') return false;
  return SQLSTATE.test(code) || (SYSTEM_CODES.has(code) && syscall !== undefined);
};
