/** Which rule of the database a statement broke; its constraints are named table__columns__kind. */
import { IntegrityConstraintViolationError } from 'slonik';

/** Whether an error is the violation of the constraint of this name. */
export const violates = (error: unknown, constraint: string): boolean =>
  error instanceof IntegrityConstraintViolationError && error.constraint === constraint;
