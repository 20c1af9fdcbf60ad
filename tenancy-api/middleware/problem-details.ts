import type { Middleware } from 'koa';
import { NotFoundError, SlonikError } from 'slonik';
import { notFound, PROBLEMS, Problem } from '../problems.ts';

/**
 * What the caller is told. A row that must be there and isn't was hidden by row-level security, and one
 * that may not be written was refused by it: that wall answers like ours, and the log says more.
 */
const toProblem = (error: unknown): Problem => {
  if (error instanceof Problem) return error;
  if (error instanceof NotFoundError) return notFound();
  if (isRefusedByPolicy(error)) return new Problem(PROBLEMS.forbidden, 'You may not write this.');
  return new Problem(PROBLEMS.fault, 'The fault has been logged under this request_id.');
};

const INSUFFICIENT_PRIVILEGE = '42501';

const isRefusedByPolicy = (error: unknown): boolean => {
  const cause = error instanceof SlonikError ? error.cause : error;
  return (cause as { code?: unknown } | undefined)?.code === INSUFFICIENT_PRIVILEGE;
};

/**
 * The only place that writes an error: a Problem as it is, anything else as a bare 500 whose cause
 * goes to the log alone (RFC 9457).
 */
export const problemDetails = (): Middleware => async (ctx, next) => {
  try {
    await next();
  } catch (error) {
    const problem = toProblem(error);
    if (!(error instanceof Problem)) ctx.app.emit('error', error, ctx);
    // What a client still sends is read and dropped, or it would never come to read the answer.
    ctx.req.resume();
    ctx.status = problem.kind.status;
    ctx.set(problem.headers);
    ctx.body = {
      type: problem.kind.type,
      title: problem.kind.title,
      status: problem.kind.status,
      detail: problem.message,
      instance: ctx.path,
      request_id: ctx.state['requestId'],
      ...(problem.errors.length > 0 && { errors: problem.errors }),
    };
    ctx.type = 'application/problem+json';
  }
};
