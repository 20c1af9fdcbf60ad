/** What members download: its names, its plugins, and how it merges in the hands of a real kubectl. */
import { execFile } from 'node:child_process';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { parse } from 'yaml';
import { parseId } from '#domain/identifiers.ts';
import {
  type Caller,
  startTestApi,
  type TestApi,
  type TestWorkspace,
} from '../../support/tenancy-api.ts';

let api: TestApi;
let alice: Caller;
let bob: Caller;
beforeAll(async () => {
  api = await startTestApi();
  [alice, bob] = await Promise.all([api.signUp('alice'), api.signUp('bob')]);
});
afterAll(() => api[Symbol.asyncDispose]());

describe('GET /v1/workspaces/{workspace}/kubeconfig', () => {
  const contextOf = async (workspace: TestWorkspace): Promise<string> => {
    const [{ body: organization }, { body }] = await Promise.all([
      alice.call('GET', `/v1/organizations/${alice.organization}`),
      alice.call('GET', workspace.path),
    ]);
    return `${organization.slug}/${body.slug}`;
  };
  const provision = (workspace: TestWorkspace, server = 'https://127.0.0.1:6443') =>
    api.database.query(
      `INSERT INTO workspace_cluster (workspace_id, provisioner, server, certificate_authority)
       VALUES ($1, 'local', $2, 'THE CLUSTER CA')`,
      [workspace.uuid, server],
    );

  it('waits for the cluster, then renders for either plugin', async () => {
    const workspace = await api.createWorkspace(alice);
    const path = `${workspace.path}/kubeconfig`;
    const early = await alice.call('GET', path);
    expect(early.status).toBe(409);
    expect(early.headers.get('Retry-After')).toBe('5');
    await provision(workspace);
    await alice.call('POST', `${workspace.path}/projects`, { name: 'web' });
    const slug = await contextOf(workspace);
    const answer = await alice.call('GET', path);
    expect(answer.headers.get('Content-Type')).toContain('application/yaml');
    const ca = Buffer.from(api.issuer.certificateAuthority).toString('base64');
    expect(parse(answer.body)).toMatchObject({
      'current-context': slug,
      contexts: [{ name: slug, context: { cluster: slug, user: slug } }],
      clusters: [
        {
          name: slug,
          cluster: {
            server: 'https://127.0.0.1:6443',
            'certificate-authority-data': Buffer.from('THE CLUSTER CA').toString('base64'),
          },
        },
      ],
      users: [
        {
          name: slug,
          user: {
            exec: {
              apiVersion: 'client.authentication.k8s.io/v1',
              command: 'hexabase',
              args: [
                'get-token',
                '--issuer-url',
                api.issuer.url,
                '--client-id',
                workspace.id,
                '--certificate-authority-data',
                ca,
              ],
              interactiveMode: 'IfAvailable',
            },
          },
        },
      ],
    });
    const kubelogin = await alice.call('GET', `${path}?plugin=oidc-login&namespace=web`);
    expect(parse(kubelogin.body)).toMatchObject({
      contexts: [{ context: { namespace: 'web' } }],
      users: [
        {
          user: {
            exec: {
              command: 'kubectl',
              args: [
                'oidc-login',
                'get-token',
                `--oidc-issuer-url=${api.issuer.url}`,
                `--oidc-client-id=${workspace.id}`,
                `--certificate-authority-data=${ca}`,
              ],
            },
          },
        },
      ],
    });
    expect((await alice.call('GET', workspace.path)).body.endpoint).toEqual({
      server: 'https://127.0.0.1:6443',
      certificate_authority: 'THE CLUSTER CA',
    });
  });

  it('merges with others: two files make one with both, and kubectl finds each', async () => {
    // Joined by a hyphen these two would meet in one name.
    await using directory = await mkdtempDisposable(join(tmpdir(), 'hexabase-kubeconfig-'));
    const files: string[] = [];
    const names: string[] = [];
    for (const [person, workspaceSlug, organizationSlug] of [
      [alice, 'c', 'a-b'],
      [bob, 'b-c', 'a'],
    ] as const) {
      await api.database.query('UPDATE organization SET slug = $1 WHERE personal_for = $2', [
        organizationSlug,
        person.id,
      ]);
      const { body } = await person.call(
        'POST',
        `/v1/organizations/${person.organization}/workspaces`,
        { name: 'x', slug: workspaceSlug, plan: 'starter' },
      );
      const path = `/v1/workspaces/${body.workspace.id}`;
      const uuid = parseId('workspace', body.workspace.id) ?? '';
      await provision({ uuid } as TestWorkspace, `https://127.0.0.1:64${files.length}3`);
      const file = join(directory.path, `${files.length}.yaml`);
      await writeFile(file, (await person.call('GET', `${path}/kubeconfig`)).body);
      files.push(file);
      names.push(`${organizationSlug}/${workspaceSlug}`);
    }
    const env = { ...process.env, KUBECONFIG: files.join(':') };
    const kubectl = (...args: string[]) => promisify(execFile)(inject('kubectl'), args, { env });
    const { stdout } = await kubectl('config', 'view', '--flatten');
    const merged = parse(stdout);
    for (const list of [merged.contexts, merged.clusters, merged.users]) {
      expect(list.map((each: { name: string }) => each.name).sort()).toEqual(names.toSorted());
    }
    for (const [index, name] of names.entries()) {
      const view = await kubectl('config', 'view', '--minify', `--context=${name}`);
      expect(parse(view.stdout).clusters[0].cluster.server).toBe(`https://127.0.0.1:64${index}3`);
    }
  });

  it('refuses unknown plugins, parameters and namespaces, and one that is no project', async () => {
    const workspace = await api.createWorkspace(alice);
    await provision(workspace);
    const unknown = await alice.call('GET', `${workspace.path}/kubeconfig?namespace=nowhere`);
    expect(unknown).toMatchObject({ status: 422, body: { errors: [{ parameter: 'namespace' }] } });
    expect(unknown.body.detail).toContain('no project "nowhere"');
    for (const query of ['plugin=x', 'namespace=../x', 'namespace=A', 'user=root']) {
      expect((await alice.call('GET', `${workspace.path}/kubeconfig?${query}`)).status).toBe(400);
    }
  });
});
