/** Existing clusters over the API: what is taken, who may, and that nothing of it is shown or kept open. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { toKubeconfigPurpose } from '#domain/attached-kubeconfig.ts';
import { parseId } from '#domain/identifiers.ts';
import { createCertificateAuthority } from '#runtime/certificates.ts';
import { openLetter } from '#runtime/sealed-letter.ts';
import { toKubeconfig } from '../../support/attached-cluster.ts';
import { createProbeKeys, type ProbeKeys } from '../../support/probe-client.ts';
import { type Caller, startTestApi, type TestApi } from '../../support/tenancy-api.ts';

const SERVER = 'https://k8s.example.com:6443';
const SECRET = 'a-very-secret-token';

let keys: ProbeKeys;
let api: TestApi;
let owner: Caller;
let kubeconfig: string;

beforeAll(async () => {
  keys = await createProbeKeys();
  api = await startTestApi(undefined, { kubeconfigKey: keys.publicKey });
  owner = await api.signUp('owner');
  const { certificate } = await createCertificateAuthority('cluster');
  kubeconfig = toKubeconfig({ server: SERVER, certificateAuthority: certificate }, SECRET);
});
afterAll(() => api[Symbol.asyncDispose]());

let count = 0;
const create = (
  text: string,
  { caller = owner, headers = {} }: { caller?: Caller; headers?: Record<string, string> } = {},
) => {
  count += 1;
  const body = { name: `Own ${count}`, plan: 'starter', cluster: { kubeconfig: text } };
  const path = `/v1/organizations/${caller.organization}/workspaces`;
  return caller.call('POST', path, body, headers);
};
const sealedOf = async (workspaceId: string) => {
  const [row] = await api.database.query<{ sealed_kubeconfig: string; version: number }>(
    'SELECT sealed_kubeconfig, version FROM attached_cluster WHERE workspace_id = $1',
    [workspaceId],
  );
  return row;
};
const open = async (workspaceId: string) =>
  openLetter(
    keys.privateKey,
    toKubeconfigPurpose(workspaceId),
    (await sealedOf(workspaceId))?.sealed_kubeconfig ?? '',
  );

describe('a workspace with an existing cluster', () => {
  let id: string;
  let uuid: string;

  it('is made, and its kubeconfig opens for rbac-sync alone', async () => {
    const answer = await create(kubeconfig, { headers: { 'Idempotency-Key': 'once' } });
    expect(answer.status).toBe(202);
    id = answer.body.workspace.id;
    uuid = parseId('workspace', id) ?? '';
    expect(await open(uuid)).toBe(kubeconfig);
    expect(answer.body.workspace.provisioner).toBe('attached');
    expect(JSON.stringify(answer.body)).not.toContain(SECRET);
  });

  it('can have it replaced, which is a change of its cluster', async () => {
    const next = kubeconfig.replace(SECRET, `${SECRET}-2`);
    const path = `/v1/workspaces/${id}/attached-cluster`;
    const answer = await owner.call('PUT', path, { kubeconfig: next });
    expect(answer).toMatchObject({ status: 202, body: { workspace: { id, generation: 2 } } });
    expect(await open(uuid)).toBe(next);
    expect((await sealedOf(uuid))?.version).toBe(2);
  });

  it('stays when its workspace goes, and whoever deletes that is told so', async () => {
    await api.database.query(
      `INSERT INTO workspace_cluster (workspace_id, provisioner, server, certificate_authority)
       VALUES ($1, 'attached', $2, 'a certificate')`,
      [uuid, SERVER],
    );
    const path = `/v1/workspaces/${id}`;
    const shown = await owner.call('DELETE', `${path}?dry_run=true`);
    expect(shown).toMatchObject({ status: 200, body: { contents: { cluster: false } } });
    const unsure = await owner.call('DELETE', `${path}?confirm=other`);
    expect(unsure.body.detail).toContain('namespaces of an attached cluster stay');
  });

  it('shows it nowhere: not in records, tasks, stored answers or to the API’s own role', async () => {
    const tables = [
      'audit_event',
      'outbox',
      'task',
      'idempotency_key',
      'workspace',
      'attached_cluster',
    ];
    for (const table of tables) {
      const rows = await api.database.query<{ text: string }>(
        `SELECT t::text AS text FROM ${table} t`,
      );
      expect(rows.length, table).toBeGreaterThan(0);
      const text = rows.map((row) => row.text).join();
      expect(text, table).not.toContain(SECRET);
      expect(text, table).not.toContain(Buffer.from(SECRET).toString('base64').slice(0, 20));
    }
    const [grant] = await api.database.query(
      `SELECT has_column_privilege('hexabase_tenancy_api', 'attached_cluster', 'sealed_kubeconfig', 'SELECT') AS readable`,
    );
    expect(grant).toEqual({ readable: false });
  });

  it('tells its owner what the API server has to trust', async () => {
    const path = `/v1/workspaces/${id}/authentication-configuration`;
    const answer = await owner.call('GET', path);
    expect(answer.headers.get('Content-Type')).toContain('application/yaml');
    expect(parse(answer.body)).toMatchObject({
      kind: 'AuthenticationConfiguration',
      jwt: [{ issuer: { url: api.issuer.url, audiences: [id] } }],
    });
  });

  it('is nobody else’s business', async () => {
    const stranger = await api.signUp('stranger');
    const path = `/v1/workspaces/${id}/attached-cluster`;
    expect(await stranger.call('PUT', path, { kubeconfig })).toMatchObject({ status: 404 });
    const configuration = `/v1/workspaces/${id}/authentication-configuration`;
    expect(await stranger.call('GET', configuration)).toMatchObject({ status: 404 });
  });
});

describe('a kubeconfig that is refused', () => {
  it('is said to be so at its place, without its content', async () => {
    const text = kubeconfig.replace('token:', 'tokenFile:');
    const answer = await create(text);
    expect(answer).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '#/cluster/kubeconfig' }] },
    });
    expect(answer.body.detail).toContain('tokenFile');
    expect(JSON.stringify(answer.body)).not.toContain(SECRET);
  });

  it('is also refused as a replacement, and for a workspace that has no such cluster', async () => {
    const { id } = await api.createWorkspace(owner);
    const path = `/v1/workspaces/${id}/attached-cluster`;
    expect(await owner.call('PUT', path, { kubeconfig: 'x' })).toMatchObject({ status: 422 });
    const answer = await owner.call('PUT', path, { kubeconfig });
    expect(answer).toMatchObject({ status: 422 });
    expect(answer.body.detail).toContain('no attached cluster');
  });

  it('is any, where the platform has no key to seal it with', async () => {
    await using other = await startTestApi();
    const answer = await create(kubeconfig, { caller: await other.signUp('someone') });
    expect(answer.status).toBe(422);
    expect(answer.body.detail).toContain('takes no existing clusters');
  });
});
