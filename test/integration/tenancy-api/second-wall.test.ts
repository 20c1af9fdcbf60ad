/**
 * The API with its own check taken out: whoever asks is let through as owner and admin. Row-level
 * security alone has to keep every route from showing or changing what is somebody else's.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { PREFIXES } from '#domain/identifiers.ts';
import type { AuthorizationRequest } from '../../../tenancy-api/access.ts';
import { createOpenApiDocument } from '../../../tenancy-api/openapi/document.ts';
import type { Route } from '../../../tenancy-api/route.ts';
import { ROUTES } from '../../../tenancy-api/routes.ts';
import { fillPath, furnish } from '../../support/furnished-workspace.ts';
import {
  type Caller,
  startTestApi,
  type TestApi,
  type TestWorkspace,
} from '../../support/tenancy-api.ts';

const letThrough = vi.hoisted(() => ({ organizationId: '' }));

vi.mock('../../../tenancy-api/access.ts', () => ({
  authorize: async (_: unknown, { permission, params }: AuthorizationRequest) => {
    if (typeof permission === 'string' || 'platform' in permission) return null;
    const { organizationId } = letThrough;
    return 'organization' in permission
      ? { organizationId, role: 'owner' }
      : { organizationId, workspaceId: params['workspace'], role: 'admin' };
  },
}));

const SECRET = 'nightjar';
let api: TestApi;
let stranger: Caller;
let workspace: TestWorkspace;
let real: Record<string, string>;

beforeAll(async () => {
  api = await startTestApi('silent');
  const owner = await api.signUp(`${SECRET}-owner`);
  stranger = await api.signUp('stranger');
  workspace = await createWorkspace(owner);
  real = await furnish(api, owner, { workspace, name: SECRET });
});
afterAll(() => api[Symbol.asyncDispose]());

const createWorkspace = async (owner: Caller): Promise<TestWorkspace> => {
  const [row] = await api.database.query<{ id: string }>(
    'SELECT organization_id AS id FROM organization_user WHERE person_id = $1',
    [owner.id],
  );
  letThrough.organizationId = row?.id ?? '';
  return api.createWorkspace(owner, SECRET);
};

const KINDS = Object.entries(PREFIXES);
const NAMES: Readonly<Record<string, string>> = {
  projectRole: 'role',
  roleAssignment: 'role_assignment',
  serviceAccount: 'service_account',
};

type Operation = {
  readonly requestBody?: { readonly content: Record<string, { readonly example: unknown }> };
  readonly parameters: readonly {
    name?: string;
    in?: string;
    required?: boolean;
    example?: unknown;
  }[];
};

const { paths } = createOpenApiDocument(ROUTES) as {
  paths: Record<string, Record<string, Operation>>;
};

const toOperation = ({ path, method }: Route): Operation | undefined =>
  paths[path]?.[method.toLowerCase()];

/** The documented example of a body, about the real things. */
const toBody = (route: Route): unknown => {
  const example = toOperation(route)?.requestBody?.content['application/json']?.example;
  if (example === undefined) return undefined;
  return JSON.parse(
    JSON.stringify(example).replaceAll(/"([a-z]+)_[0-9a-z]{26}"/g, (text, prefix: string) => {
      const kind = KINDS.find(([, each]) => each === prefix)?.[0] ?? '';
      return JSON.stringify(real[NAMES[kind] ?? kind] ?? text);
    }),
  );
};

const toQuery = (route: Route): string => {
  const required =
    toOperation(route)?.parameters.filter((each) => each.in === 'query' && each.required) ?? [];
  const confirm = route.query && 'confirm' in route.query.shape;
  const query = new URLSearchParams(confirm ? { confirm: SECRET } : {});
  for (const { name = '' } of required) query.set(name, 'local');
  return `?${query}`;
};

const everything = () =>
  api.database.query(
    `SELECT (SELECT count(*) FROM audit_event) AS events, (SELECT count(*) FROM outbox) AS outbox,
       (SELECT count(*) FROM task) AS tasks, (SELECT json_agg(w ORDER BY id) FROM workspace w) AS workspaces,
       (SELECT json_agg(o ORDER BY id) FROM organization o) AS organizations,
       (SELECT json_agg(u ORDER BY organization_id, person_id) FROM organization_user u) AS users,
       (SELECT json_agg(m ORDER BY workspace_id, person_id) FROM workspace_member m) AS members,
       (SELECT json_agg(g ORDER BY id) FROM workspace_group g) AS groups,
       (SELECT json_agg(g ORDER BY group_id, person_id) FROM group_member g) AS memberships,
       (SELECT json_agg(s ORDER BY id) FROM service_account s) AS service_accounts,
       (SELECT json_agg(p ORDER BY id) FROM project p) AS projects,
       (SELECT json_agg(r ORDER BY id) FROM project_role r) AS roles,
       (SELECT json_agg(a ORDER BY id) FROM role_assignment a) AS assignments,
       (SELECT json_agg(p ORDER BY id) FROM plan p) AS plans`,
  );

const guarded = ROUTES.filter(
  ({ permission, path }) => typeof permission === 'object' || path.includes('{'),
).map((route) => ({ name: `${route.method} ${route.path}`, route }));

describe.each(guarded)('$name', ({ route }) => {
  it('shows and changes nothing foreign', async () => {
    const before = await everything();
    const headers = route.ifMatch ? { 'If-Match': '*' } : {};
    const path = `${fillPath(route, real)}${toQuery(route)}`;
    const { status, body } = await stranger.call(route.method, path, toBody(route), headers);
    // What is still said to be invalid has not been tried, and a fault may have any cause.
    expect([400, 500], JSON.stringify(body)).not.toContain(status);
    expect(JSON.stringify(body ?? '')).not.toContain(SECRET);
    if (route.method !== 'GET') expect(status).toBeGreaterThanOrEqual(400);
    expect(await everything()).toEqual(before);
  });
});
