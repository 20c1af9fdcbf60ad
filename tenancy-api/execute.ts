/**
 * Carries out one request: a single transaction that knows who asks (so that row-level security
 * does), finds out whether they may, and calls the route's handler. Nothing leaves the process
 * before the commit, so a transaction that PostgreSQL makes us repeat is repeated from the start.
 */
import { type CommonQueryMethods, type DatabasePool, sql } from 'slonik';
import * as z from 'zod';
import { type AuthorizationRequest, authorize } from './access.ts';
import { invalidToken } from './access-token.ts';
import type { Issuer, RequestContext } from './context.ts';
import type { Cursors } from './cursor.ts';
import { PROBLEMS, Problem } from './problems.ts';
import type { Reply, Route } from './route.ts';
import { parseBody, parseParams, parseQuery } from './validation.ts';

/** What {@link createExecute} needs. */
export type ExecuteDeps = {
  readonly db: DatabasePool;
  readonly issuer: Issuer;
  readonly cursors: Cursors;
  /** Called after the commit with each workspace (UUID) that changed. */
  readonly onChanged: (workspaceId: string) => void;
};

/** A request as it came, its token already verified. */
export type IncomingRequest = {
  /** The caller (UUID), or `null` on a public route. */
  readonly personId: string | null;
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: unknown;
  readonly requestId: string;
  readonly ip: string;
};

/** Carries out a request on a route; throws what its handler throws. */
export type Execute = (route: Route, request: IncomingRequest) => Promise<Reply>;

/** Makes the function that carries out requests. */
export const createExecute =
  (deps: ExecuteDeps): Execute =>
  async (route, request) => {
    if (request.personId === null) return answerPublicly(route, request);
    const changedWorkspaces = new Set<string>();
    const { personId } = request;
    const reply = await deps.db.transaction(async (tx) => {
      changedWorkspaces.clear();
      const { issuer, cursors } = deps;
      const { requestId, ip, path } = request;
      const context = { tx, issuer, cursors, requestId, ip, path, changedWorkspaces };
      return handle(route, request, { ...context, personId });
    });
    for (const workspaceId of changedWorkspaces) deps.onChanged(workspaceId);
    return reply;
  };

/** A public route speaks of nobody's data and takes no connection. */
const answerPublicly = (route: Route, request: IncomingRequest): Promise<Reply> => {
  const query = parseQuery(route, request.query);
  return route.handler({ context: null, access: null, params: {}, query, body: undefined });
};

const handle = async (
  route: Route,
  request: IncomingRequest,
  context: RequestContext,
): Promise<Reply> => {
  const { tx, personId } = context;
  await identify(tx, personId);
  const params = parseParams(request.params);
  const authorization: AuthorizationRequest = {
    permission: route.permission,
    params,
    personId,
    locks: route.method !== 'GET',
  };
  // Whoever may not do it is told so before anything about their input is looked at.
  const access = await authorize(tx, authorization);
  const query = parseQuery(route, request.query);
  const body = parseBody(route, request.body);
  return route.handler({ context, access, params, query, body });
};

const identify = async (db: CommonQueryMethods, personId: string): Promise<void> => {
  await setPerson(db, personId);
  const person = await findPerson(db, personId);
  if (!person) throw invalidToken('Its subject is not known here.');
  if (person.suspended) {
    throw new Problem(
      PROBLEMS.personSuspended,
      'Your access to the platform is suspended. Ask its administrator.',
    );
  }
};

const setPerson = async (db: CommonQueryMethods, personId: string): Promise<void> => {
  await db.one(sql.prepared('set_person', z.strictObject({ set: z.string() }))`
    SELECT set_config('hexabase.person_id', ${personId}, true) AS set
  `);
};

const findPerson = (
  db: CommonQueryMethods,
  personId: string,
): Promise<{ suspended: boolean } | null> =>
  db.maybeOne(sql.prepared('find_person', z.strictObject({ suspended: z.boolean() }))`
    SELECT suspended_at IS NOT NULL AS suspended
    FROM person
    WHERE id = ${personId}
  `);
