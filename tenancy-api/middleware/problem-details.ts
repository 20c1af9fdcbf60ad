import type { Middleware } from 'koa';
import { PROBLEMS, Problem } from '../problems.ts';

/**
 * The only place that writes an error: a Problem as it is, anything else as a bare 500 whose cause
 * goes to the log alone (RFC 9457).
 */
export const problemDetails = (): Middleware => async (ctx, next) => {
  try {
    await next();
  } catch (error) {
    const problem =
      error instanceof Problem
        ? error
        : new Problem(PROBLEMS.fault, 'The fault has been logged under this request_id.');
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
