/**
 * Carries out one request: a single transaction that knows who asks (so that row-level security
 * does), finds out whether they may, and calls the route's handler. Nothing leaves the process
 * before the commit, so a transaction that PostgreSQL makes us repeat is repeated from the start.
 */
import type { JWK } from 'jose';
import { type CommonQueryMethods, type DatabasePool, sql } from 'slonik';
import * as z from 'zod';
import { type AuthorizationRequest, authorize } from './access.ts';
import { invalidToken } from './access-token.ts';
import type { Issuer, RequestContext } from './context.ts';
import type { Cursors } from './cursor.ts';
import { answerOnce, type KeyPlace, type Outcome, takeKey } from './idempotency.ts';
import type { PlatformAdmins } from './platform-admins.ts';
import { PROBLEMS, Problem } from './problems.ts';
import type { Reply, Route } from './route.ts';
import { parseBody, parseDryRun, parseParams, parseQuery } from './validation.ts';

/** What {@link createExecute} needs. */
export type ExecuteDeps = {
  readonly db: DatabasePool;
  readonly issuer: Issuer;
  readonly cursors: Cursors;
  readonly platformAdmins: PlatformAdmins;
  /** Days until a deletion is carried out. */
  readonly deletionGraceDays: number;
  /** To which kubeconfigs of existing clusters are sealed. */
  readonly kubeconfigKey: JWK | undefined;
  /** Called after the commit with each workspace (UUID) that changed. */
  readonly onChanged: (workspaceId: string) => void;
};

/** A request as it came, its token already verified. */
export type IncomingRequest = {
  /** The caller (UUID), or `null` on a public route. */
  readonly personId: string | null;
  readonly method: string;
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: unknown;
  readonly ifMatch: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly requestId: string;
  readonly ip: string;
};

/** Carries out a request on a route; throws what its handler throws. */
export type Execute = (route: Route, request: IncomingRequest) => Promise<Reply>;

/** Makes the function that carries out requests. */
export const createExecute =
  (deps: ExecuteDeps): Execute =>
  async (route, request) => {
    if (request.personId === null) return answerPublicly(deps, route, request);
    const changedWorkspaces = new Set<string>();
    const { personId } = request;
    const outcome = await deps.db
      .transaction(async (tx) => {
        changedWorkspaces.clear();
        const { issuer, cursors, deletionGraceDays, kubeconfigKey } = deps;
        const { requestId, ip, path, ifMatch } = request;
        const caller = { tx, personId, issuer, cursors, requestId, ip, path, ifMatch };
        const isPlatformAdmin = deps.platformAdmins.recognize;
        const settings = { deletionGraceDays, kubeconfigKey };
        const base = { ...settings, isPlatformAdmin, changedWorkspaces, dryRun: false };
        const context = { ...caller, ...base };
        return handle(deps, route, { request, context });
      })
      .catch((error: unknown) => {
        if (!(error instanceof DryRun)) throw error;
        changedWorkspaces.clear();
        return error.reply;
      });
    if (outcome instanceof Problem) throw outcome;
    for (const workspaceId of changedWorkspaces) deps.onChanged(workspaceId);
    return outcome;
  };

/** Undoes a transaction that was only asked what it would do, and carries its answer out of it. */
class DryRun extends Error {
  readonly reply: Reply;

  constructor(reply: Reply) {
    super('a dry run is rolled back');
    this.name = 'DryRun';
    this.reply = reply;
  }
}

/** A public route speaks of nobody's data and takes no connection. */
const answerPublicly = (
  { issuer }: ExecuteDeps,
  route: Route,
  request: IncomingRequest,
): Promise<Reply> => {
  const query = parseQuery(route, request.query);
  return route.handler({ context: { issuer }, access: null, params: {}, query, body: undefined });
};

const handle = async (
  deps: ExecuteDeps,
  route: Route,
  { request, context }: { request: IncomingRequest; context: RequestContext },
): Promise<Outcome> => {
  const { tx, personId } = context;
  await identify(tx, personId);
  const place = toKeyPlace(request, personId);
  if (place) await takeKey(tx, place);
  const params = parseParams(request.params);
  const authorization: AuthorizationRequest = {
    permission: route.permission,
    params,
    personId,
    locks: route.method !== 'GET',
    platformAdmins: deps.platformAdmins,
  };
  // Whoever may not do it is told so before anything about their input is looked at.
  const access = await authorize(tx, authorization);
  const { dryRun, rest } = parseDryRun(route, request.query);
  const query = parseQuery(route, rest);
  const body = parseBody(route, request.body);
  if (route.ifMatch) assertIfMatch(request);
  const act = (inner: RequestContext): Promise<Reply> =>
    route.handler({ context: inner, access, params, query, body });
  if (dryRun) throw new DryRun(await act({ ...context, dryRun }));
  return place
    ? answerOnce(context, { place, body: request.body, toKept: route.toKept }, act)
    : act(context);
};

const toKeyPlace = (request: IncomingRequest, personId: string): KeyPlace | undefined => {
  const { idempotencyKey: key, method, path, query } = request;
  if (key === undefined) return undefined;
  return { personId, key, target: `${method} ${path} ${JSON.stringify(query)}` };
};

const assertIfMatch = ({ ifMatch }: IncomingRequest): void => {
  if (ifMatch !== undefined) return;
  throw new Problem(
    PROBLEMS.preconditionRequired,
    'Read the resource first, and send the ETag of that answer as If-Match; "If-Match: *" changes it whatever it is now.',
  );
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

const PersonSetting = z.strictObject({ set: z.string() });

const setPerson = async (db: CommonQueryMethods, personId: string): Promise<void> => {
  await db.one(sql.prepared('set_person', PersonSetting)`
    SELECT set_config('hexabase.person_id', ${personId}, true) AS set
  `);
};

const PersonRow = z.strictObject({ suspended: z.boolean() });

const findPerson = (
  db: CommonQueryMethods,
  personId: string,
): Promise<z.infer<typeof PersonRow> | null> =>
  db.maybeOne(sql.prepared('find_person', PersonRow)`
    SELECT suspended_at IS NOT NULL AS suspended
    FROM person
    WHERE id = ${personId}
  `);
