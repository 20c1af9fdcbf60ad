/** Who wrote what in a cluster, told by a real kube-apiserver; and that nobody tells it in its place. */
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createId } from '#domain/identifiers.ts';
import { type AuditEndpoint, toAuditPath } from '../../../rbac-sync/audit/audit-configuration.ts';
import { toAuditToken } from '../../../rbac-sync/audit/audit-token.ts';
import type { RequestOptions } from '../../../rbac-sync/cluster/kubernetes-client.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import {
  aSubject,
  connectTestCluster,
  createTestProvisioner,
  startTestAudit,
  startTestController,
  type TestCluster,
} from '../../support/kube.ts';
import { poll } from '../../support/poll.ts';
import { aProject, insertWorkspace, type WorkspaceRows } from '../../support/workspace-rows.ts';

let stack: AsyncDisposableStack;
let database: TestDatabase;
let audit: AuditEndpoint;
let workspace: WorkspaceRows;
let cluster: TestCluster;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  database = stack.use(await createTestDatabase());
  audit = stack.use(await startTestAudit(database));
  const planes = stack.use(await createTestProvisioner(audit));
  stack.use(await startTestController(database, planes.provisioner));
  workspace = await insertWorkspace(database);
  await workspace.untilObserved(1, 120_000);
  cluster = stack.use(await connectTestCluster(planes, workspace.id));
  await workspace.change('project.create', aProject(workspace.id, 'shop'));
});
afterAll(() => stack.disposeAsync());

type Write = { verb: string; resource: string; name: string; actor: Record<string, unknown> };
const writesOf = (name: string) =>
  database.query<Write>(
    'SELECT verb, resource, name, actor FROM cluster_write WHERE workspace_id = $1 AND name = $2',
    [workspace.id, name],
  );
const untilWritten = (name: string) =>
  poll(`the write of ${name}`, async () => (await writesOf(name))[0]);
const aRole = (name: string) => ({
  metadata: { name },
  rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
});
const ROLES = '/apis/rbac.authorization.k8s.io/v1/namespaces/shop/roles';

describe('an API server', () => {
  it('tells who wrote, by name and e-mail address, and where from', async () => {
    const subject = aSubject();
    const ada = await cluster.asMember(['WSAdmins'], subject, {
      name: 'Ada Lovelace',
      email: 'ada@example.com',
    });
    await ada.request(ROLES, {
      method: 'POST',
      body: aRole('by-ada'),
      headers: { 'user-agent': 'kubectl/v1.35.4' },
    });
    expect(await untilWritten('by-ada')).toMatchObject({
      verb: 'create',
      resource: 'roles',
      actor: {
        username: `hexabase:${subject}`,
        name: 'Ada Lovelace',
        email: 'ada@example.com',
        impersonated_by: null,
        user_agent: 'kubectl/v1.35.4',
        source_ips: ['127.0.0.1'],
      },
    });
  });

  it('tells who wrote, whatever they add to their requests', async () => {
    const subject = aSubject();
    const mallory = await cluster.asMember(['WSAdmins'], subject);
    const write = (name: string, more: RequestOptions) =>
      mallory.request(ROLES, { method: 'POST', body: aRole(name), ...more });
    const sameId = { 'audit-id': createId() };
    // The first half of a pair of UTF-16 is no text to PostgreSQL.
    const halved = Buffer.from(`${'x'.repeat(511)}\u{1F600}`).toString('latin1');
    const requests: Record<string, RequestOptions> = {
      'odd-id': { headers: { 'audit-id': 'none of your business' } },
      'first-of-id': { headers: sameId },
      'second-of-id': { headers: sameId },
      'halved-agent': { headers: { 'user-agent': halved } },
      'long-address': { query: { pad: '<'.repeat(100_000) } },
    };
    for (const [name, more] of Object.entries(requests)) await write(name, more);
    const found = await Promise.allSettled(Object.keys(requests).map(untilWritten));
    const who = found.map((each) =>
      each.status === 'fulfilled' ? each.value.actor['username'] : 'nobody',
    );
    expect(who).toEqual(Object.keys(requests).map(() => `hexabase:${subject}`));
  });

  it('tells nothing of our own writes, of refused ones, of reads and of other kinds', async () => {
    const nobody = await cluster.asMember(['WSUsers']);
    const refused = nobody.request(ROLES, { method: 'POST', body: aRole('refused') });
    await expect(refused).rejects.toMatchObject({ status: 403 });
    await cluster.root.request('/api/v1/namespaces/shop/configmaps', {
      method: 'POST',
      body: { metadata: { name: 'a-map' } },
    });
    await cluster.root.request(`${ROLES}/by-ada`);
    await workspace.change('project.create', aProject(workspace.id, 'ours'));
    // What is told later than the others proves that they won't be told.
    await cluster.root.request(ROLES, { method: 'POST', body: aRole('later') });
    await untilWritten('later');
    for (const name of ['refused', 'a-map', 'ours']) expect(await writesOf(name)).toEqual([]);
    expect(await writesOf('by-ada')).toHaveLength(1);
  });
});

describe('a dry run', () => {
  const create = (name: string, query: string) =>
    cluster.root.request(`${ROLES}${query}`, { method: 'POST', body: aRole(name) });
  const remove = (path: string, body?: object) =>
    cluster.root.request(`${ROLES}/${path}`, { method: 'DELETE', ...(body && { body }) });

  it('is told as no write, whichever way it is asked for', async () => {
    await create('kept', '');
    await create('tried', '?dryRun=All');
    await remove('kept?dryRun=All');
    await remove('kept', { dryRun: ['All'] });
    await create('after-dry-runs', '');
    await untilWritten('after-dry-runs');
    expect(await writesOf('tried')).toEqual([]);
    expect(await writesOf('kept')).toMatchObject([{ verb: 'create' }]);
  });

  it('hides no write that only looks like one', async () => {
    await create('half-hidden', '?dryRun=All;x');
    await remove('half-hidden?dryRun=All', { kind: 'DeleteOptions', apiVersion: 'v1' });
    await expect(cluster.root.request(`${ROLES}/half-hidden`)).rejects.toMatchObject({
      status: 404,
    });
    await poll('both writes', async () => {
      const verbs = (await writesOf('half-hidden')).map(({ verb }) => verb).sort();
      expect(verbs).toEqual(['create', 'delete']);
      return true;
    });
  });
});

describe('who is not the API server', () => {
  const post = async (workspaceId: string, authorization: string) => {
    const body = {
      apiVersion: 'audit.k8s.io/v1',
      kind: 'EventList',
      items: [
        {
          auditID: createId(),
          stage: 'ResponseComplete',
          verb: 'patch',
          user: { username: 'framed' },
          objectRef: { resource: 'rolebindings', namespace: 'shop', name: 'forged' },
          responseStatus: { code: 200 },
          requestReceivedTimestamp: new Date().toISOString(),
        },
      ],
    };
    await using agents = new AsyncDisposableStack();
    const agent = agents.adopt(
      new Agent({ connect: { ca: audit.certificateAuthority } }),
      (opened) => opened.destroy(),
    );
    const response = await request(`${audit.url}${toAuditPath(workspaceId)}`, {
      method: 'POST',
      headers: { authorization },
      body: JSON.stringify(body),
      dispatcher: agent,
    });
    await response.body.dump();
    return response.statusCode;
  };

  it('is refused, another workspace’s API server too', async () => {
    const other = await insertWorkspace(database, async () => {});
    expect(await post(workspace.id, '')).toBe(401);
    expect(await post(workspace.id, 'Bearer x')).toBe(401);
    expect(await post(workspace.id, `Bearer ${toAuditToken(audit.key, other.id)}`)).toBe(401);
    expect(await writesOf('forged')).toEqual([]);
  });

  it('is kept nowhere when its workspace is gone', async () => {
    const gone = createId();
    expect(await post(gone, `Bearer ${toAuditToken(audit.key, gone)}`)).toBe(200);
    const [row] = await database.query<{ count: string }>(
      'SELECT count(*) FROM cluster_write WHERE workspace_id = $1',
      [gone],
    );
    expect(row?.count).toBe('0');
  });
});
