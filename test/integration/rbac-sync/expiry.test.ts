/** What was given for a time: it goes by itself, is on record, and goes once. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createId } from '#domain/identifiers.ts';
import { createLogger } from '#runtime/log.ts';
import type { KubernetesClient } from '../../../rbac-sync/cluster/kubernetes-client.ts';
import { KubernetesError } from '../../../rbac-sync/cluster/kubernetes-error.ts';
import { expire } from '../../../rbac-sync/life/expire.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import {
  connectTestCluster,
  createTestProvisioner,
  startTestController,
  type TestCluster,
  type TestProvisioner,
} from '../../support/kube.ts';
import { poll } from '../../support/poll.ts';
import {
  aGroup,
  anAssignment,
  aProject,
  aProjectRole,
  insertWorkspace,
  READ_PODS,
  type WorkspaceRows,
} from '../../support/workspace-rows.ts';

const PODS = '/api/v1/namespaces/shop/pods';

let stack: AsyncDisposableStack;
let database: TestDatabase;
let planes: TestProvisioner;
let workspace: WorkspaceRows;
let cluster: TestCluster;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  database = stack.use(await createTestDatabase());
  planes = stack.use(await createTestProvisioner());
  // As often as in production, twice: any replica may find what has expired.
  const often = { pollIntervalMs: 2_000 };
  stack.use(await startTestController(database, planes.provisioner, often));
  stack.use(await startTestController(database, planes.provisioner, often));
  workspace = await insertWorkspace(database);
  await workspace.untilObserved(1, 120_000);
  cluster = stack.use(await connectTestCluster(planes, workspace.id));
  await workspace.change(
    'project.create',
    aProject(workspace.id, 'shop'),
    aGroup(workspace.id, 'on-call'),
    aProjectRole(workspace.id, 'shop', 'pod-reader', READ_PODS),
  );
});
afterAll(() => stack.disposeAsync());

const may = (client: KubernetesClient, path: string): Promise<boolean> =>
  client.request(path).then(
    () => true,
    (error: unknown) => {
      if (error instanceof KubernetesError && error.status === 403) return false;
      throw error;
    },
  );
const eventsOf = (action: string, workspaceId = workspace.id) =>
  database.query<{ actor_id: null; target_id: string; before: Record<string, unknown> }>(
    'SELECT actor_id, target_id, before FROM audit_event WHERE workspace_id = $1 AND action = $2',
    [workspaceId, action],
  );

describe('a role assignment that expires', () => {
  it('is no longer in force about two seconds later, verified and on record', async () => {
    await workspace.change(
      'role-assignment.create',
      anAssignment(workspace.id, 'on-call', 'shop', 'pod-reader'),
    );
    const member = await cluster.asMember(['on-call']);
    expect(await may(member, PODS)).toBe(true);
    const { generation } = await workspace.row();
    const [row] = await database.query<{ id: string; expires_at: Date }>(
      `UPDATE role_assignment SET expires_at = now() + interval '1 second'
       WHERE workspace_id = $1 AND NOT preset RETURNING id, expires_at`,
      [workspace.id],
    );
    await poll('the binding to go', async () => !(await may(member, PODS)), 10_000);
    const lateMs = Date.now() - (row?.expires_at.getTime() ?? 0);
    expect(lateMs).toBeGreaterThan(0);
    expect(lateMs).toBeLessThan(4_000);
    await poll('it to be verified', async () => {
      const now = await workspace.row();
      return (
        now.generation === `${Number(generation) + 1}` && now.observed_generation === now.generation
      );
    });
    expect(await eventsOf('role-assignment.expire')).toMatchObject([
      {
        actor_id: null,
        target_id: row?.id,
        before: { project_role_id: expect.any(String), expires_at: expect.any(String) },
      },
    ]);
    const { conditions } = await workspace.row();
    expect(conditions.find(({ type }) => type === 'Drifted')).toMatchObject({ status: 'False' });
  });
});

describe('a role assignment whose end nobody looks for', () => {
  it('is out of the cluster within two seconds of it, however seldom rbac-sync polls', async () => {
    await using own = new AsyncDisposableStack();
    const quiet = own.use(await createTestDatabase());
    const elsewhere = own.use(await createTestProvisioner());
    // Polls and resyncs come once an hour.
    own.use(await startTestController(quiet, elsewhere.provisioner));
    const { id, ...other } = await insertWorkspace(quiet);
    await other.untilObserved(1, 120_000);
    const plane = own.use(await connectTestCluster(elsewhere, id));
    const [text, ...values] = anAssignment(id, 'on-call', 'shop', 'pod-reader');
    await other.change(
      'role-assignment.create',
      aProject(id, 'shop'),
      aGroup(id, 'on-call'),
      aProjectRole(id, 'shop', 'pod-reader', READ_PODS),
      [text, ...values],
      [
        `UPDATE role_assignment SET expires_at = now() + interval '4 seconds'
         WHERE workspace_id = $1 AND NOT preset`,
        id,
      ],
    );
    const member = await plane.asMember(['on-call']);
    expect(await may(member, PODS)).toBe(true);
    const [row] = await quiet.query<{ expires_at: Date }>(
      'SELECT expires_at FROM role_assignment WHERE workspace_id = $1 AND NOT preset',
      [id],
    );
    await poll('the binding to go', async () => !(await may(member, PODS)), 10_000);
    const lateMs = Date.now() - (row?.expires_at.getTime() ?? 0);
    expect(lateMs).toBeGreaterThan(0);
    expect(lateMs).toBeLessThan(2_000);
  });
});

describe('memberships that expire', () => {
  it('go on the record; those that last stay, and no cluster is asked', async () => {
    const { generation } = await workspace.row();
    const [anna, ben, robot] = [createId(), createId(), createId()];
    await database.query(`INSERT INTO person (id, display_name) VALUES ($1, 'anna'), ($2, 'ben')`, [
      anna,
      ben,
    ]);
    await database.query(
      'INSERT INTO workspace_member (workspace_id, person_id) VALUES ($1, $2), ($1, $3)',
      [workspace.id, anna, ben],
    );
    await database.query(
      `INSERT INTO service_account (id, workspace_id, name, display_name) VALUES ($1, $2, 'robot', 'Robot')`,
      [robot, workspace.id],
    );
    await database.query(
      `INSERT INTO group_service_account (workspace_id, service_account_id, group_id, expires_at)
       SELECT $1, $2, id, now() FROM workspace_group WHERE workspace_id = $1 AND name = 'on-call'`,
      [workspace.id, robot],
    );
    await database.query(
      `INSERT INTO group_member (workspace_id, person_id, group_id, expires_at)
       SELECT g.workspace_id, v.person_id, g.id, v.expires_at
       FROM workspace_group g,
         (VALUES ($2::uuid, now()), ($3, now() + interval '1 hour')) AS v (person_id, expires_at)
       WHERE g.workspace_id = $1 AND g.name = 'on-call'`,
      [workspace.id, anna, ben],
    );
    const left = await poll('both to go', async () => {
      const events = [
        ...(await eventsOf('group-member.expire')),
        ...(await eventsOf('group-service-account.expire')),
      ];
      return events.length >= 2 && events;
    });
    expect(left.map(({ before }) => before)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ person_id: anna }),
        expect.objectContaining({ service_account_id: robot }),
      ]),
    );
    const stay = await database.query<{ person_id: string }>(
      'SELECT person_id FROM group_member WHERE workspace_id = $1',
      [workspace.id],
    );
    expect(stay).toEqual([{ person_id: ben }]);
    expect((await workspace.row()).generation).toBe(generation);
  });

  it('are recorded once, whoever comes at once', async () => {
    const other = await insertWorkspace(database, async () => {});
    const people = Array.from({ length: 40 }, () => createId());
    await database.query(
      `INSERT INTO person (id, display_name) SELECT id, 'p' FROM unnest($1::uuid[]) AS p (id)`,
      [people],
    );
    await database.query(
      `INSERT INTO workspace_member (workspace_id, person_id) SELECT $1, id FROM unnest($2::uuid[]) AS p (id)`,
      [other.id, people],
    );
    await database.query(
      `INSERT INTO group_member (workspace_id, person_id, group_id, expires_at)
       SELECT g.workspace_id, p.id, g.id, now()
       FROM workspace_group g, unnest($2::uuid[]) AS p (id)
       WHERE g.workspace_id = $1 AND g.name = 'WSUsers'`,
      [other.id, people],
    );
    const db = await database.connectAs('hexabase_rbac_sync');
    const ring = async () => {};
    await Promise.all(
      Array.from({ length: 5 }, () =>
        expire({ db, doorbell: { ring }, log: createLogger('rbac-sync', 'error') }),
      ),
    );
    const events = await eventsOf('group-member.expire', other.id);
    expect(events.map(({ before }) => before['person_id']).sort()).toEqual(people.toSorted());
  });
});
