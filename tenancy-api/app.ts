/**
 * The tenancy API: organizations, workspaces and what is in them, over REST. It owns what tenants
 * decide and writes it to PostgreSQL; it signs nobody in (the issuer does) and touches no cluster
 * (rbac-sync does). Built by main.ts and by the tests alike.
 */
import type { JWK } from 'jose';
import Koa, { type Context } from 'koa';
import type { Registry } from 'prom-client';
import type { DatabasePool } from 'slonik';
import { sql } from 'slonik';
import * as z from 'zod';
import { DOORBELL_SUBJECTS, type Doorbell } from '#runtime/doorbell.ts';
import { health } from '#runtime/health.ts';
import type { Readiness } from '#runtime/lifecycle.ts';
import type { Logger } from '#runtime/log.ts';
import type { AccessTokenVerifier } from './access-token.ts';
import type { Issuer } from './context.ts';
import { createCursors } from './cursor.ts';
import { toDeprecationHeaders } from './deprecation.ts';
import { createExecute, type Execute, type IncomingRequest } from './execute.ts';
import { readIdempotencyKey } from './idempotency.ts';
import { allowConsole } from './middleware/allow-console.ts';
import { authenticate } from './middleware/authenticate.ts';
import { compressAnswers } from './middleware/compress-answers.ts';
import { readJsonBody } from './middleware/json-body.ts';
import { problemDetails } from './middleware/problem-details.ts';
import { requestLog } from './middleware/request-log.ts';
import { setSecurityHeaders } from './middleware/security-headers.ts';
import type { PlatformAdmins } from './platform-admins.ts';
import { readPreferredWait, waitForFinal } from './prefer.ts';
import { PROBLEMS, Problem } from './problems.ts';
import { referencePage } from './reference/reference-page.ts';
import type { Reply, Route } from './route.ts';
import { createRouter, type FoundRoute, type Router } from './router.ts';
import { ROUTES } from './routes.ts';

/** What the application is built from. */
export type AppDeps = {
  /** Connected as hexabase_tenancy_api. */
  readonly db: DatabasePool;
  readonly doorbell: Doorbell;
  readonly accessTokens: AccessTokenVerifier;
  readonly issuer: Issuer;
  /** 32 bytes that sign cursors, the same on every replica. */
  readonly cursorKey: Buffer;
  readonly platformAdmins: PlatformAdmins;
  /** The origin of the console, the one web page that may call from a browser. */
  readonly consoleOrigin?: string | undefined;
  /** Days until a deletion is carried out. */
  readonly deletionGraceDays: number;
  /** rbac-sync's public key, to which kubeconfigs of existing clusters are sealed; without it none are taken. */
  readonly kubeconfigKey?: JWK | undefined;
  readonly log: Logger;
  readonly metrics: Registry;
  readonly readiness: Readiness;
};

/** Builds the application; it doesn't listen by itself. */
export const createApp = (deps: AppDeps): Koa => {
  const app = new Koa();
  app.on('error', (error: unknown, ctx?: Context) => logFailure(deps.log, error, ctx));
  app.use(
    health({
      readiness: deps.readiness,
      metrics: deps.metrics,
      check: () => deps.db.one(sql.type(z.strictObject({ ok: z.int() }))`SELECT 1 AS ok`),
    }),
  );
  app.use(requestLog(deps.log, deps.metrics));
  app.use(problemDetails());
  app.use(setSecurityHeaders);
  if (deps.consoleOrigin) app.use(allowConsole(deps.consoleOrigin));
  app.use(compressAnswers());
  app.use(referencePage());
  const router = createRouter(ROUTES);
  const answerDeps = { ...deps, execute: createExecuteOf(deps) };
  app.use(async (ctx) => {
    const found = router.find(ctx.method, ctx.path);
    if (found) await answer(ctx, found, answerDeps);
    else answerUnrouted(router, ctx);
  });
  return app;
};

const logFailure = (log: Logger, error: unknown, ctx: Context | undefined): void => {
  const fields = { err: error, request_id: ctx?.state['requestId'] };
  // Koa marks what goes wrong after the answer was begun: here, a client that broke off.
  if (error instanceof Error && 'headerSent' in error) log.info(fields, 'a connection broke off');
  else log.error(fields, 'a request failed');
};

const createExecuteOf = (deps: AppDeps): Execute =>
  createExecute({
    db: deps.db,
    issuer: deps.issuer,
    cursors: createCursors(deps.cursorKey),
    platformAdmins: deps.platformAdmins,
    deletionGraceDays: deps.deletionGraceDays,
    kubeconfigKey: deps.kubeconfigKey,
    onChanged: (workspaceId) => {
      // Not awaited: the change is committed, and a lost ring only costs rbac-sync a moment.
      void deps.doorbell.ring(DOORBELL_SUBJECTS.workspaceChanged, workspaceId);
    },
  });

const answer = async (
  ctx: Context,
  { route, params }: FoundRoute,
  deps: AppDeps & { readonly execute: Execute },
): Promise<void> => {
  ctx.state['route'] = route.path;
  const isPublic = route.permission === 'public';
  const request: IncomingRequest = {
    personId: isPublic ? null : await authenticate(ctx, deps.accessTokens),
    method: ctx.method,
    path: ctx.path,
    params,
    query: ctx.query,
    body: await readBody(ctx, route),
    ifMatch: ctx.get('If-Match') || undefined,
    idempotencyKey:
      route.method === 'POST' ? readIdempotencyKey(readHeader(ctx, 'idempotency-key')) : undefined,
    requestId: String(ctx.state['requestId']),
    ip: ctx.ip,
  };
  const seconds = readPreferredWait(ctx.get('Prefer'));
  const ask = () => deps.execute(route, request);
  write(ctx, route, await waitForFinal(route, seconds, { ...deps, ask }));
};

/** A header as it came; an empty one is there all the same. */
const readHeader = (ctx: Context, name: string): string | undefined => {
  const value = ctx.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
};

/** A route whose body may be left out takes a request without one (RFC 9112 §6). */
const readBody = async (ctx: Context, route: Route): Promise<unknown> => {
  if (!route.body) return undefined;
  const hasNone = ctx.get('Transfer-Encoding') === '' && Number(ctx.get('Content-Length')) === 0;
  if (hasNone && route.body.safeParse(undefined).success) return undefined;
  return readJsonBody(ctx, route.bodyLimit);
};

const write = (ctx: Context, route: Route, reply: Reply): void => {
  ctx.set(toDeprecationHeaders(route.deprecation));
  ctx.status = reply.status;
  ctx.set({ ...reply.headers });
  if (reply.body === undefined) return;
  // Koa would write an object as JSON twice: for its length, and to send it.
  ctx.body = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body);
  ctx.type = route.responses[reply.status]?.type ?? 'application/json';
};

/** Tells what is allowed where a path is known but not with this method (RFC 9110 §9.3.7, §15.5.6). */
const answerUnrouted = (router: Router, ctx: Context): void => {
  const methods = router.allowedMethods(ctx.path);
  if (methods.length === 0) {
    throw new Problem(
      PROBLEMS.notFound,
      'There is no such route; GET /v1/openapi.json describes all there are.',
    );
  }
  const allow = methods.join(', ');
  if (ctx.method === 'OPTIONS') {
    ctx.status = 204;
    ctx.set('Allow', allow);
    return;
  }
  throw new Problem(PROBLEMS.methodNotAllowed, `Allowed here: ${allow}.`, {
    headers: { Allow: allow },
  });
};
