/** The tenancy API as it runs, on a database of its own, and callers who use it over HTTP. */
import type { JWK } from 'jose';
import { expect } from 'vitest';
import { createId, formatId, parseId } from '#domain/identifiers.ts';
import { createDoorbell } from '#runtime/doorbell.ts';
import { listen } from '#runtime/http-server.ts';
import type { Readiness } from '#runtime/lifecycle.ts';
import { createLogger } from '#runtime/log.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { createAccessTokenVerifier } from '../../tenancy-api/access-token.ts';
import { createApp } from '../../tenancy-api/app.ts';
import { createPlatformAdmins } from '../../tenancy-api/platform-admins.ts';
import { API_AUDIENCE, startTokenIssuer, type TokenIssuer } from './access-token.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { assertDocumented } from './documented-answers.ts';

/** Who administers the platform in the tests. */
export const PLATFORM_ADMIN = { connector: 'local', subject: 'platform-admin' } as const;

/** Where the console is in the tests. */
export const CONSOLE_ORIGIN = 'https://console.example.test';

/** An answer of the API. `body` is what the JSON says, or the text of anything else. */
export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers whose shape `call` has checked.
  readonly body: any;
};

/** A person who calls the API. */
export type Caller = {
  /** UUID. */
  readonly id: string;
  /** As the API shows it. */
  readonly person: string;
  readonly token: string;
  /** Their private organization, as the API shows it. */
  readonly organization: string;
  readonly call: (
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<Answer>;
};

/** A workspace and its preset groups, as the API shows them. */
export type TestWorkspace = {
  readonly id: string;
  readonly uuid: string;
  readonly path: string;
  readonly groups: Readonly<Record<string, string>>;
};

/** The running API. */
export type TestApi = AsyncDisposable & {
  readonly url: string;
  /** What `runService` turns to not ready before it stops. */
  readonly readiness: Readiness;
  readonly database: TestDatabase;
  readonly issuer: TokenIssuer;
  /** Someone who has signed up: with an identity and a private organization. */
  readonly signUp: (name: string) => Promise<Caller>;
  /** A workspace of this person's private organization. */
  readonly createWorkspace: (caller: Caller, name?: string) => Promise<TestWorkspace>;
  /** Makes a person a member, as an admin's request does, and asks nobody. */
  readonly addMember: (
    workspace: Pick<TestWorkspace, 'uuid'>,
    person: Pick<Caller, 'id'>,
  ) => Promise<void>;
  /** Does what rbac-sync does when it has verified everything: tasks succeed, the doorbell rings. */
  readonly observe: (workspace: TestWorkspace) => Promise<void>;
  /** A request with this token, or with none. */
  readonly call: (token: string | null, ...request: Parameters<Caller['call']>) => Promise<Answer>;
};

/**
 * Starts the API; dispose of it in `afterAll`.
 *
 * @param logLevel 'silent' where faults are what is tested
 */
export const startTestApi = async (
  logLevel = process.env['TEST_LOG_LEVEL'] ?? 'error',
  { kubeconfigKey }: { readonly kubeconfigKey?: JWK } = {},
): Promise<TestApi> => {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await createTestDatabase());
  await publishConnectors(database);
  const issuer = stack.use(await startTokenIssuer());
  const log = createLogger('tenancy-api', logLevel);
  const databaseUrl = database.urlFor('hexabase_tenancy_api');
  const doorbell = stack.use(await createDoorbell({ databaseUrl, log }));
  const readiness = { ready: true };
  const app = createApp({
    db: await database.connectAs('hexabase_tenancy_api'),
    doorbell,
    accessTokens: stack.use(createAccessTokenVerifier({ issuer, audience: API_AUDIENCE })),
    issuer,
    cursorKey: Buffer.alloc(32, 7),
    platformAdmins: createPlatformAdmins([PLATFORM_ADMIN]),
    consoleOrigin: CONSOLE_ORIGIN,
    deletionGraceDays: 14,
    kubeconfigKey,
    log,
    metrics: createMetrics('tenancy-api'),
    readiness,
  });
  const server = stack.use(await listen(app.callback(), { host: '127.0.0.1', port: 0 }));
  const url = `http://127.0.0.1:${server.port}`;
  const call: TestApi['call'] = (token, ...request) => send(url, token, ...request);
  const resources = stack.move();
  return {
    url,
    readiness,
    database,
    issuer,
    call,
    signUp: (name) => signUp({ database, issuer, call }, name),
    createWorkspace,
    addMember: async (workspace, { id }) => {
      const member = 'INSERT INTO workspace_member (workspace_id, person_id) VALUES ($1, $2)';
      await database.query(member, [workspace.uuid, id]);
    },
    observe: async (workspace) => {
      await observe(database, workspace.uuid);
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
};

/** The connectors that tests name, as the issuer publishes its own. */
const publishConnectors = async ({ query }: TestDatabase): Promise<void> => {
  await query(
    `INSERT INTO connector (id, name, type, provides_groups)
     SELECT id, 'Connector ' || id, 'oidc', id = 'github'
     FROM unnest($1::text[]) AS c (id)`,
    [['local', 'github', 'google', 'kubernetes', 'one', 'two', 'other', 'twice', 'c']],
  );
};

const send = async (
  url: string,
  token: string | null,
  ...[method, path, body, headers = {}]: Parameters<Caller['call']>
): Promise<Answer> => {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(token !== null && { Authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('Content-Type')?.includes('json');
  const answer = {
    status: response.status,
    headers: response.headers,
    body: isJson ? JSON.parse(text) : text,
  };
  assertDocumented(method, new URL(`${url}${path}`).pathname, answer);
  return answer;
};

const signUp = async (
  { database, issuer, call }: Pick<TestApi, 'database' | 'issuer' | 'call'>,
  name: string,
): Promise<Caller> => {
  const [id, organizationId] = [createId(), createId()];
  await database.query(
    'INSERT INTO person (id, display_name, first_signed_in_at) VALUES ($1, $2, now())',
    [id, name],
  );
  await database.query(
    `INSERT INTO identity (connector, subject, person_id) VALUES ('local', $1, $2)`,
    [`${name}-${id}`, id],
  );
  await database.query(
    'INSERT INTO organization (id, slug, name, personal_for) VALUES ($1, $2, $3, $4)',
    [organizationId, `personal-${id}`, name, id],
  );
  await database.query(
    `INSERT INTO organization_user (organization_id, person_id, role) VALUES ($1, $2, 'owner')`,
    [organizationId, id],
  );
  const token = await issuer.sign({ personId: id, expiresInSeconds: 3600 });
  return {
    id,
    person: formatId('person', id),
    token,
    organization: formatId('organization', organizationId),
    call: (...request) => call(token, ...request),
  };
};

const createWorkspace = async (caller: Caller, name = 'Acme'): Promise<TestWorkspace> => {
  const created = await caller.call('POST', `/v1/organizations/${caller.organization}/workspaces`, {
    name,
    slug: `ws-${createId().slice(-12)}`,
    plan: 'starter',
  });
  expect(created).toMatchObject({ status: 202 });
  const { id } = created.body.workspace;
  const path = `/v1/workspaces/${id}`;
  const groups = await caller.call('GET', `${path}/groups`);
  return {
    id,
    uuid: parseId('workspace', id) ?? '',
    path,
    groups: Object.fromEntries(
      groups.body.items.map((group: { name: string; id: string }) => [group.name, group.id]),
    ),
  };
};

const observe = async (database: TestDatabase, workspaceId: string): Promise<void> => {
  await database.query('UPDATE workspace SET observed_generation = generation WHERE id = $1', [
    workspaceId,
  ]);
  await database.query(
    `UPDATE task SET state = 'succeeded', progress = 100, finished_at = now()
     WHERE workspace_id = $1 AND finished_at IS NULL`,
    [workspaceId],
  );
  await database.query(`SELECT pg_notify('hexabase_workspace_observed', $1)`, [workspaceId]);
};
