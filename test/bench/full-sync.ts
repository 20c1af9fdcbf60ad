/**
 * A full synchronization of 1,000 bindings (with the 1,000 Roles that they give) into an empty cluster
 * by rbac-sync, beside the same objects created by a plain HTTPS loop in another cluster of the same
 * kind; and a second synchronization, which must write nothing.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { Registry } from 'prom-client';
import { Pool } from 'undici';
import { migrate } from '#database/migrate.ts';
import { createDatabase } from '#database/pool.ts';
import { authenticationConfiguration } from '#domain/authentication-configuration.ts';
import { desiredState } from '#domain/desired-state.ts';
import { createId } from '#domain/identifiers.ts';
import type { ManagedObject } from '#domain/kubernetes-objects.ts';
import { PRESET_GROUPS } from '#domain/presets.ts';
import { createDoorbell, DOORBELL_SUBJECTS } from '#runtime/doorbell.ts';
import { createEncryption } from '#runtime/encryption.ts';
import { createLogger } from '#runtime/log.ts';
import { findControlPlane } from '../../quickstart/control-plane/binaries.ts';
import { startPostgres } from '../../quickstart/embedded-postgres.ts';
import { bootstrapCluster, requestSyncToken } from '../../rbac-sync/bootstrap/bootstrap.ts';
import { createKubernetesClient } from '../../rbac-sync/cluster/kubernetes-client.ts';
import { createController } from '../../rbac-sync/controller.ts';
import { createLocalProvisioner } from '../../rbac-sync/provisioners/local/local-provisioner.ts';
import type { Provisioner } from '../../rbac-sync/provisioners/provisioner.ts';
import { createProvisionerRegistry } from '../../rbac-sync/provisioners/registry.ts';
import { loadWorkspace } from '../../rbac-sync/workspace/workspace-queries.ts';
import { startSigningIssuer } from '../support/signing-issuer.ts';
import { printTable } from './measure.ts';

const PROJECTS = 20;
const ROLES_PER_PROJECT = 50;
const CONNECTIONS = 32;
const PASSWORD = 'benchmark-only';

/** Runs and prints the table. */
export const benchFullSync = async (): Promise<void> => {
  await using cleanup = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'hexabase-bench-'));
  cleanup.defer(() => rm(directory, { recursive: true, force: true }));
  const server = cleanup.use(await startPostgres());
  const issuer = cleanup.use(await startSigningIssuer());
  const provisioner = cleanup.use(
    createLocalProvisioner({
      directory,
      binaries: (await findControlPlane()).directory,
      unsafeNoFsync: true,
      configurationFor: (id) => ({ authentication: authenticationConfiguration(id, issuer) }),
    }),
  );
  await migrate(server.ownerUrl('postgres'), { hexabase_rbac_sync: PASSWORD });
  const databaseUrl = server.roleUrl('hexabase_rbac_sync', PASSWORD, 'postgres');
  const owner = cleanup.adopt(new pg.Pool({ connectionString: server.ownerUrl('postgres') }), (p) =>
    p.end(),
  );
  const db = cleanup.adopt(await createDatabase({ connectionString: databaseUrl }), (p) => p.end());
  const log = createLogger('bench', 'error');
  const metrics = new Registry();
  const doorbell = cleanup.use(await createDoorbell({ databaseUrl, log }));
  cleanup.use(
    await createController({
      db,
      doorbell,
      provisioners: createProvisionerRegistry({
        provisioners: [provisioner],
        defaultName: provisioner.name,
      }),
      encryption: createEncryption([Buffer.alloc(32, 7)]),
      metrics,
      log,
      resyncIntervalMs: 3_600_000,
    }),
  );
  const workspaceId = await insertEmptyWorkspace(owner);
  const ring = () => doorbell.ring(DOORBELL_SUBJECTS.workspaceChanged, workspaceId);
  await ring();
  await untilObserved(owner, workspaceId);

  await insertBindings(owner, workspaceId);
  const verifiedBefore = await sumOf(metrics, 'hexabase_verification_duration_seconds');
  const started = performance.now();
  await ring();
  await untilObserved(owner, workspaceId);
  const total = performance.now() - started;
  const verifying =
    1000 * ((await sumOf(metrics, 'hexabase_verification_duration_seconds')) - verifiedBefore);

  const writes = await countWrites(metrics);
  await owner.query('UPDATE workspace SET generation = generation + 1');
  await ring();
  await untilObserved(owner, workspaceId);
  const writesAgain = (await countWrites(metrics)) - writes;

  const workspace = await loadWorkspace(db, workspaceId);
  const desired = desiredState((workspace ?? fail()).state);
  const raw = await writeRaw(provisioner, desired, CREATE);
  const rawApply = await writeRaw(provisioner, desired, APPLY);
  const rate = (milliseconds: number) => `${((1000 * desired.length) / milliseconds).toFixed(0)}/s`;
  const row = (name: string, ms: number) => ({
    name,
    objects: desired.length,
    'time ms': ms.toFixed(0),
    rate: rate(ms),
    'of the raw rate': `${((100 * raw) / ms).toFixed(0)} %`,
  });
  printTable('full synchronization of 1,000 bindings and their roles into an empty cluster', [
    row('plain HTTPS creates', raw),
    row('plain HTTPS server-side applies', rawApply),
    row('rbac-sync, written', total - verifying),
    row('rbac-sync, written and verified', total),
  ]);
  console.log(`a second synchronization wrote ${writesAgain} objects`);
};

/** A way to write one object. */
type Write = (object: ManagedObject) => {
  readonly method: 'POST' | 'PATCH';
  readonly path: string;
  readonly contentType: string;
};
const CREATE: Write = (object) => ({
  method: 'POST',
  path: collectionOf(object),
  contentType: 'application/json',
});
const APPLY: Write = (object) => ({
  method: 'PATCH',
  path: `${collectionOf(object)}/${encodeURIComponent(object.metadata.name)}?fieldManager=bench&force=true`,
  contentType: 'application/apply-patch+yaml',
});

const STAGES = [
  ['Namespace'],
  ['ResourceQuota', 'LimitRange', 'Role'],
  ['RoleBinding', 'ClusterRoleBinding'],
];

/** Writes the objects into a new cluster in the order they need, as fast as 32 connections allow; milliseconds. */
const writeRaw = async (
  provisioner: Provisioner,
  desired: ManagedObject[],
  write: Write,
): Promise<number> => {
  const workspaceId = createId();
  const plane = await provisioner.ensure(
    {
      workspaceId,
      plan: { workspaceQuota: {}, isolation: 'shared', nodeSelector: {}, tolerations: [] },
    },
    { onProgress: async () => {} },
  );
  const { server, certificateAuthority } = plane;
  const credential = await plane.bootstrapCredential();
  const root = createKubernetesClient({ server, certificateAuthority, credential });
  // The floor is what a plain loop reaches in the same kind of cluster, with the same identity.
  await bootstrapCluster(root);
  const { token } = await requestSyncToken(root);
  await root[Symbol.asyncDispose]();
  const pool = new Pool(server, {
    allowH2: false,
    connections: CONNECTIONS,
    connect: { ca: certificateAuthority },
  });
  const started = performance.now();
  for (const kinds of STAGES) {
    const rest = desired.filter(({ kind }) => kinds.includes(kind)).values();
    const worker = async () => {
      for (const object of rest) {
        const { method, path, contentType } = write(object);
        const { statusCode, body } = await pool.request({
          method,
          path,
          headers: { authorization: `Bearer ${token}`, 'content-type': contentType },
          body: JSON.stringify(object),
        });
        const text = await body.text();
        if (statusCode >= 300) throw new Error(text);
      }
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  }
  const elapsed = performance.now() - started;
  await pool.close();
  await provisioner.remove(workspaceId);
  return elapsed;
};

const collectionOf = ({ apiVersion, kind, metadata }: ManagedObject): string => {
  const root = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
  const namespace = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  return `${root}${namespace}/${kind.toLowerCase()}s`;
};

const insertEmptyWorkspace = async (owner: pg.Pool): Promise<string> => {
  const [workspaceId, organizationId] = [createId(), createId()];
  await owner.query('INSERT INTO organization (id, slug, name) VALUES ($1, $2, $2)', [
    organizationId,
    'bench',
  ]);
  await owner.query(
    'INSERT INTO workspace (id, organization_id, slug, name, plan_id) SELECT $1, $2, $3, $3, id FROM plan LIMIT 1',
    [workspaceId, organizationId, 'bench'],
  );
  for (const { name } of PRESET_GROUPS) {
    await owner.query(
      'INSERT INTO workspace_group (id, workspace_id, name, display_name, preset) VALUES ($1, $2, $3, $3, true)',
      [createId(), workspaceId, name],
    );
  }
  return workspaceId;
};

/** Projects with roles, each role given to a group. */
const insertBindings = async (owner: pg.Pool, workspaceId: string): Promise<void> => {
  await owner.query(
    `WITH projects AS (
       INSERT INTO project (id, workspace_id, name, display_name)
       SELECT gen_random_uuid(), $1, 'project-' || p, 'P' FROM generate_series(1, $2::int) p RETURNING id
     ), roles AS (
       INSERT INTO project_role (id, workspace_id, project_id, name, rules)
       SELECT gen_random_uuid(), $1, p.id, 'role-' || r,
         jsonb_build_array(jsonb_build_object('apiGroups', array[''], 'resources', array['configmaps'],
           'verbs', array['get', 'update'], 'resourceNames', array['settings-' || r]))
       FROM projects p, generate_series(1, $3::int) r RETURNING id, project_id
     ), assignments AS (
       INSERT INTO role_assignment (id, workspace_id, group_id, project_id, project_role_id)
       SELECT gen_random_uuid(), $1, g.id, r.project_id, r.id
       FROM roles r, workspace_group g WHERE g.workspace_id = $1 AND g.name = 'WSUsers'
     )
     UPDATE workspace SET generation = generation + 1 WHERE id = $1`,
    [workspaceId, PROJECTS, ROLES_PER_PROJECT],
  );
};

const untilObserved = async (owner: pg.Pool, workspaceId: string): Promise<void> => {
  const deadline = performance.now() + 120_000;
  for (;;) {
    const { rows } = await owner.query<{ done: boolean }>(
      'SELECT observed_generation = generation AS done FROM workspace WHERE id = $1',
      [workspaceId],
    );
    if (rows[0]?.done) return;
    if (performance.now() > deadline) throw new Error('the workspace was not synchronized in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

const sumOf = async (metrics: Registry, name: string): Promise<number> => {
  const { values } = (await metrics.getSingleMetric(name)?.get()) ?? { values: [] };
  return (
    values.find((value) => (value as { metricName?: string }).metricName === `${name}_sum`)
      ?.value ?? 0
  );
};

const fail = (): never => {
  throw new Error('the workspace is gone');
};

const countWrites = async (metrics: Registry): Promise<number> => {
  const { values } = (await metrics.getSingleMetric('hexabase_objects_written_total')?.get()) ?? {
    values: [],
  };
  return values.reduce((sum, { value }) => sum + value, 0);
};
