/** Someone in more groups than a token carries, on a real kube-apiserver with rbac-sync beside it. */
import { createHash } from 'node:crypto';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createId, formatId } from '#domain/identifiers.ts';
import { MOST_TOKEN_BYTES } from '#domain/token-size.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startTestIssuer, TEST_PASSWORD, type TestIssuer } from '../../support/issuer.ts';
import {
  connectTestCluster,
  createTestProvisionerFor,
  startTestController,
  type TestCluster,
} from '../../support/kube.ts';
import { refresh, signInWithCode, signInWithDevice } from '../../support/oidc-client.ts';
import { poll } from '../../support/poll.ts';
import { insertWorkspace, type WorkspaceRows } from '../../support/workspace-rows.ts';
import { createPerson } from './tenancy-rows.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const PEOPLE = ['few', 'hundred', 'many', 'refused', 'long', 'device'];
const cleanup = new AsyncDisposableStack();
const metrics = new Registry();
let database: TestDatabase;
let issuer: TestIssuer;
let workspace: WorkspaceRows;
let cluster: TestCluster;

beforeAll(async () => {
  database = cleanup.use(await createTestDatabase());
  const accounts = PEOPLE.map((username) => ({ username }));
  issuer = cleanup.use(await startTestIssuer(database, accounts, { metrics }));
  const trusted = { url: issuer.issuerUrl, certificateAuthority: issuer.ca };
  const planes = cleanup.use(await createTestProvisionerFor(trusted));
  cleanup.use(await startTestController(database, planes.provisioner));
  workspace = await insertWorkspace(database);
  await workspace.untilObserved(1, 120_000);
  cluster = cleanup.use(await connectTestCluster(planes, workspace.id));
}, 150_000);
afterAll(() => cleanup.disposeAsync());

const as = (username: string) => ({
  issuerUrl: issuer.issuerUrl,
  ca: issuer.ca,
  clientId: formatId('workspace', workspace.id),
  username,
  password: TEST_PASSWORD,
});

/** Makes groups, and somebody a direct member of each; answers their ids by name. */
const join = async (username: string, names: readonly string[]) => {
  const person = await createPerson(database, username);
  const ids = new Map(names.map((name) => [name, createId()]));
  await database.query(
    `INSERT INTO workspace_group (id, workspace_id, name, display_name)
     SELECT id, $1, name, name FROM unnest($2::uuid[], $3::text[]) AS g (id, name)`,
    [workspace.id, [...ids.values()], names],
  );
  await database.query('INSERT INTO workspace_member (workspace_id, person_id) VALUES ($1, $2)', [
    workspace.id,
    person,
  ]);
  await database.query(
    'INSERT INTO group_member (workspace_id, person_id, group_id) SELECT $1, $2, unnest($3::uuid[])',
    [workspace.id, person, [...ids.values()]],
  );
  return { person, idOf: (name: string) => ids.get(name) ?? '' };
};

const named = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}-${String(index).padStart(3, '0')}`);

/** Gives a group the viewer's preset in the whole cluster, and waits until that is in force. */
const assign = (...groupIds: readonly string[]) =>
  workspace.change('role-assignment.create', [
    `INSERT INTO role_assignment (id, workspace_id, group_id, preset_role)
     SELECT id, $1, group_id, 'workspace-viewer'
     FROM unnest($2::uuid[], $3::uuid[]) AS a (id, group_id)`,
    workspace.id,
    groupIds.map(() => createId()),
    groupIds,
  ]);

/** Binds groups to a role past the platform. */
const bind = (name: string, groups: readonly string[]) =>
  cluster.root.request(`${RBAC}/namespaces/default/rolebindings`, {
    method: 'POST',
    body: {
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' },
      subjects: groups.map((group) => ({
        apiGroup: 'rbac.authorization.k8s.io',
        kind: 'Group',
        name: `hexabase:${group}`,
      })),
    },
  });

const boundGroups = async () =>
  (
    await database.query<{ name: string }>(
      'SELECT name FROM foreign_bound_group WHERE workspace_id = $1 ORDER BY name',
      [workspace.id],
    )
  ).map(({ name }) => name);

const untilBound = (...names: readonly string[]) =>
  poll(
    `the bindings of ${names.join()}`,
    async () => (await boundGroups()).join() === names.join(),
  );

const refusals = () =>
  database.query(
    `SELECT actor_id, workspace_id, target_id, after, request_id FROM audit_event
     WHERE action = 'token.refuse-overage' ORDER BY id`,
  );

/** What each of these questions is answered with for groups, by the API server's own review. */
const reviewGroups = (groups: readonly string[]) => review({ user: 'hexabase:x', groups });

const QUESTIONS = ['default', 'kube-system', undefined].flatMap((namespace) =>
  ['pods', 'secrets', 'namespaces', 'nodes', 'configmaps'].flatMap((resource) =>
    ['get', 'list', 'create', 'delete'].map((verb) => ({ namespace, resource, verb })),
  ),
);

const review = async ({ user, groups }: { user: string; groups: readonly string[] }) => {
  const answers = QUESTIONS.map(async (resourceAttributes) => {
    const spec = { user, groups: groups.map((name) => `hexabase:${name}`), resourceAttributes };
    const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
    const answer = await cluster.root.request(path, { method: 'POST', body: { spec } });
    return (answer as { status: { allowed: boolean } }).status.allowed;
  });
  return Promise.all(answers);
};

const reviewToken = async (token: string) => {
  const client = cluster.withToken(token);
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  const answers = QUESTIONS.map(async (resourceAttributes) => {
    const answer = await client.request(path, {
      method: 'POST',
      body: { spec: { resourceAttributes } },
    });
    return (answer as { status: { allowed: boolean } }).status.allowed;
  });
  return Promise.all(answers);
};

describe('a person in as many groups as a token carries', () => {
  it('has all of them in it, whatever they decide', async () => {
    const few = named('few', 8);
    await join('few', few);
    expect((await signInWithCode(as('few'))).claims['groups']).toEqual(few);
    // Short names: a hundred of them are no token too long.
    const hundred = named('h', 100);
    await join('hundred', hundred);
    const { id_token, claims } = await signInWithCode(as('hundred'));
    expect(claims['groups']).toEqual(hundred);
    await reviewToken(id_token);
  });
});

describe('a person in 300 groups', () => {
  it('may do in the cluster exactly what all their groups give, also what others gave', async () => {
    const groups = named('many', 300);
    const { idOf } = await join('many', groups);
    const none = await signInWithCode(as('many'));
    expect(none.claims['groups']).toEqual([]);

    await assign(idOf('many-007'));
    await bind('theirs', ['many-123', 'unheard-of']);
    await untilBound('many-123', 'unheard-of');
    const tokens = await refresh({ ...as('many'), refreshToken: none.refresh_token });
    expect(tokens.claims['groups']).toEqual(['many-007', 'many-123']);
    const expected = await reviewGroups(groups);
    expect(new Set(expected)).toEqual(new Set([true, false]));
    expect(await reviewToken(tokens.id_token)).toEqual(expected);
    expect(await reviewToken(none.id_token)).not.toEqual(expected);

    await cluster.root.request(`${RBAC}/namespaces/default/rolebindings/theirs`, {
      method: 'DELETE',
    });
    await untilBound();
    const after = await refresh({ ...as('many'), refreshToken: tokens.refresh_token });
    expect(after.claims['groups']).toEqual(['many-007']);
    expect(await reviewToken(after.id_token)).toEqual(await reviewGroups(groups));
    expect(await refusals()).toEqual([]);
  }, 60_000);

  it('is refused, told what to do, and on record when more of them decide than fit', async () => {
    const groups = named('refused', 300);
    const { person, idOf } = await join('refused', groups);
    const before = await signInWithCode(as('refused'));
    const given = groups.slice(0, 101);
    await assign(...given.map(idOf));
    const refused = expect(
      refresh({ ...as('refused'), refreshToken: before.refresh_token }),
    ).rejects;
    await refused.toMatchObject({
      error: 'invalid_grant',
      error_description:
        'you are in 300 groups of this workspace: 101 of them are given roles in its cluster, and a token carries 100. Ask an administrator of the workspace to take you out of groups, or to give the roles to a group above them',
    });
    expect(await refusals()).toEqual([
      {
        actor_id: person,
        workspace_id: workspace.id,
        target_id: workspace.id,
        after: {
          groups: 300,
          deciding_groups: 101,
          token_bytes: expect.any(Number),
          client_id: formatId('workspace', workspace.id),
          grant: before.claims['grant'],
          token_hash: createHash('sha256').update(before.refresh_token).digest('base64url'),
          session: before.claims['sid'],
        },
        request_id: expect.stringMatching(/\S{8,}/),
      },
    ]);
    // The sign-in waits: with one group less it goes on.
    await database.query('DELETE FROM group_member WHERE group_id = $1', [idOf('refused-100')]);
    const { claims } = await refresh({ ...as('refused'), refreshToken: before.refresh_token });
    expect(claims['groups']).toEqual(groups.slice(0, 100));
  }, 60_000);

  it('is told the same by the device flow', async () => {
    const groups = named('device', 101);
    const { idOf } = await join('device', groups);
    await assign(...groups.map(idOf));
    await expect(signInWithDevice(as('device'))).rejects.toMatchObject({
      error: 'invalid_grant',
      error_description: expect.stringContaining('101 of them are given roles'),
    });
  }, 60_000);
});

describe('a person whose groups have long names', () => {
  it('gets no token beyond 6 KiB, and those that decide as long as they fit', async () => {
    const groups = named(`long-${'x'.repeat(50)}`, 90);
    const { idOf } = await join('long', groups);
    const decide = groups.slice(0, 50);
    await assign(...decide.map(idOf));
    const { id_token, refresh_token, claims } = await signInWithCode(as('long'));
    expect(claims['groups']).toEqual(decide);
    expect(id_token.length).toBeLessThanOrEqual(MOST_TOKEN_BYTES);
    await assign(...groups.slice(50).map(idOf));
    await expect(refresh({ ...as('long'), refreshToken: refresh_token })).rejects.toMatchObject({
      error_description: expect.stringMatching(/make a token of \d{4} bytes, and it may have 6144/),
    });
  }, 60_000);

  it('is counted by what came of it', async () => {
    const text = await metrics.metrics();
    expect(text).toMatch(/oidc_groups_overage_total\{result="reduced"\} [1-9]/);
    expect(text).toMatch(/oidc_groups_overage_total\{result="refused"\} [1-9]/);
    expect(text).toMatch(/oidc_id_token_bytes_bucket\{le="6144"\} (\d+)\n.*le="8192"\} \1\n/);
    expect(text).toMatch(/oidc_group_resolution_seconds_count [1-9]/);
  });
});
