/** Applies a route's schemas to what came over the network, and says everything that is wrong. */
import type * as z from 'zod';
import { parseId } from '#domain/identifiers.ts';
import { toMessage } from './messages.ts';
import { notFound, PROBLEMS, Problem, type ProblemError, toPointer } from './problems.ts';
import { PATH_IDENTIFIERS, type Route } from './route.ts';

const MAX_ERRORS = 100;

/**
 * The identifiers of a path as UUIDs.
 *
 * @throws Problem not-found when one is not an identifier of its kind
 */
export const parseParams = (
  params: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(params).map(([name, text]) => {
      const kind = PATH_IDENTIFIERS[name as keyof typeof PATH_IDENTIFIERS];
      const id = kind && parseId(kind, text);
      if (id === undefined) throw notFound();
      return [name, id];
    }),
  );

/**
 * The query by the route's schema; a route without one takes no parameter.
 *
 * @throws Problem invalid-request
 */
export const parseQuery = (route: Route, query: Readonly<Record<string, unknown>>): unknown => {
  if (!route.query) {
    const names = Object.keys(query);
    if (names.length > 0) throw invalid(names.map((name) => unknownParameter(name)));
    return undefined;
  }
  const result = route.query.safeParse(query, { error: toMessage });
  if (result.success) return result.data;
  throw invalid(
    toErrors(result.error, (path) => ({ parameter: path.map(String).join('.') })).map((error) =>
      'parameter' in error && error.detail === UNKNOWN ? unknownParameter(error.parameter) : error,
    ),
  );
};

/**
 * Takes `dry_run` out of the query of a route that knows it; elsewhere it is an unknown parameter.
 *
 * @throws Problem invalid-request when it is neither true nor false
 */
export const parseDryRun = (
  route: Route,
  query: Readonly<Record<string, unknown>>,
): { readonly dryRun: boolean; readonly rest: Readonly<Record<string, unknown>> } => {
  if (!route.dryRun || query['dry_run'] === undefined) return { dryRun: false, rest: query };
  const { dry_run: value, ...rest } = query;
  if (value === 'true' || value === 'false') return { dryRun: value === 'true', rest };
  throw invalid([{ parameter: 'dry_run', detail: 'Must be true or false.' }]);
};

/**
 * The body by the route's schema.
 *
 * @throws Problem invalid-request
 */
export const parseBody = (route: Route, body: unknown): unknown => {
  if (!route.body) return undefined;
  const result = route.body.safeParse(body, { error: toMessage });
  if (result.success) return result.data;
  throw invalid(toErrors(result.error, (path) => ({ pointer: toPointer(path) })));
};

const UNKNOWN = 'This field is not known here.';

const unknownParameter = (parameter: string): ProblemError => ({
  parameter,
  detail: 'This parameter is not known here.',
});

const invalid = (errors: readonly ProblemError[]): Problem =>
  new Problem(
    PROBLEMS.invalidRequest,
    errors.length === 1
      ? 'One thing in the request is not valid; see errors.'
      : `${errors.length} things in the request are not valid; see errors.`,
    { errors },
  );

const toErrors = (
  error: z.ZodError,
  place: (path: readonly PropertyKey[]) => { pointer: string } | { parameter: string },
): ProblemError[] =>
  error.issues
    .flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => ({ ...place([...issue.path, key]), detail: UNKNOWN }))
        : [{ ...place(issue.path), detail: issue.message }],
    )
    .slice(0, MAX_ERRORS);
