/** API servers that mean ill, attached by a kubeconfig: they lead us nowhere else, and can't fill our memory. */
import type { RequestListener, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { formatId } from '#domain/identifiers.ts';
import { createCertificateAuthority } from '#runtime/certificates.ts';
import { createKubernetesClient } from '../../../rbac-sync/cluster/kubernetes-client.ts';
import type { Provisioner } from '../../../rbac-sync/provisioners/provisioner.ts';
import { attach, attachedProvisioner, toKubeconfig } from '../../support/attached-cluster.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { ensurePlane } from '../../support/kube.ts';
import { createProbeKeys, type ProbeKeys } from '../../support/probe-client.ts';
import { insertWorkspace } from '../../support/workspace-rows.ts';

const MEBIBYTE = 1024 * 1024;

let stack: AsyncDisposableStack;
let database: TestDatabase;
let keys: ProbeKeys;
let attached: Provisioner;
let server: string;
let certificateAuthority: string;
/** Where redirects lead, and what arrived there. */
let elsewhere: string;
let arrived: string[];
/** What the server does with a request before it answers as an API server would. */
let mischief: (method: string, path: string, response: ServerResponse) => boolean;
let workspaceId: string;

const API_SERVER: Readonly<Record<string, (workspace: string) => object>> = {
  'GET /api/v1/namespaces/kube-system': () => ({ metadata: { uid: 'a-cluster' } }),
  'POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews': () => ({
    status: { allowed: true },
  }),
  'POST /api/v1/namespaces': () => ({}),
  'POST /api/v1/namespaces/hexabase-system/configmaps': () => ({}),
  'GET /api/v1/namespaces/hexabase-system/configmaps/workspace': (workspace) => ({
    data: { workspace },
  }),
};

const serve: RequestListener = ({ method = '', url = '' }, response) => {
  if (mischief(method, url, response)) return;
  const answer = API_SERVER[`${method} ${url}`];
  response.writeHead(answer ? 200 : 404, { 'content-type': 'application/json' });
  response.end(JSON.stringify(answer?.(formatId('workspace', workspaceId)) ?? {}));
};

const listen = (of: Server): Promise<number> =>
  new Promise((resolve) => {
    stack.defer(() => {
      of.closeAllConnections();
      of.close();
    });
    of.listen(0, '127.0.0.1', () => resolve((of.address() as AddressInfo).port));
  });

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  database = stack.use(await createTestDatabase());
  keys = await createProbeKeys();
  attached = stack.use(await attachedProvisioner(database, keys));
  const authority = await createCertificateAuthority('somebody');
  const { certificate: cert, privateKey: key } = await authority.sign({
    commonName: 'api',
    hosts: ['127.0.0.1'],
    days: 1,
  });
  certificateAuthority = authority.certificate;
  server = `https://127.0.0.1:${await listen(createServer({ cert, key }, serve))}`;
  const trap = createServer({ cert, key }, ({ method, url }, response) => {
    arrived.push(`${method} ${url}`);
    response.end('{}');
  });
  elsewhere = `https://127.0.0.1:${await listen(trap)}`;
});
afterAll(() => stack.disposeAsync());

beforeEach(async () => {
  arrived = [];
  mischief = () => false;
  workspaceId = (await insertWorkspace(database, async () => {})).id;
  const kubeconfig = toKubeconfig({ server, certificateAuthority }, 'a-token');
  await attach(database, keys, { workspaceId, kubeconfig });
});

const redirect = (response: ServerResponse, status: number, path: string): boolean => {
  response.writeHead(status, { location: `${elsewhere}${path}` }).end();
  return true;
};

describe('a server that answers as an API server does', () => {
  it('is taken for one', async () => {
    expect(await ensurePlane(attached, workspaceId)).toMatchObject({ server });
  });
});

describe('a redirect', () => {
  it.each([
    ['GET', 302],
    ['GET', 307],
    ['POST', 303],
    ['POST', 308],
  ])('of a %s by %i is refused and not followed', async (wanted, status) => {
    mischief = (method, path, response) => method === wanted && redirect(response, status, path);
    await expect(ensurePlane(attached, workspaceId)).rejects.toMatchObject({
      reason: 'ClusterFault',
      message: expect.stringMatching(`redirects \\(${status}\\).*PUT`),
    });
    expect(arrived).toEqual([]);
  });

  it('of a watch is refused and not followed', async () => {
    mischief = (_method, path, response) => redirect(response, 302, path);
    await using client = createKubernetesClient({
      server,
      certificateAuthority,
      credential: { token: () => 'a-token' },
    });
    const events = client.watch('/api/v1/namespaces', {}, AbortSignal.timeout(10_000));
    await expect(events[Symbol.asyncIterator]().next()).rejects.toMatchObject({ status: 302 });
    expect(arrived).toEqual([]);
  });
});

describe('an answer without end', () => {
  it('is cut, and said in the condition', async () => {
    const chunk = Buffer.alloc(MEBIBYTE, ' ');
    let sent = 0;
    const ended = new Promise((resolve) => {
      mischief = (_method, _path, response) => {
        response.writeHead(200, { 'content-type': 'application/json' }).once('close', resolve);
        const send = () => {
          while (!response.destroyed && sent < 1024) {
            sent += 1;
            if (!response.write(chunk)) return;
          }
        };
        response.on('drain', send);
        send();
        return true;
      };
    });
    await expect(ensurePlane(attached, workspaceId)).rejects.toMatchObject({
      reason: 'ClusterFault',
      message: expect.stringMatching(/more than is taken/),
    });
    await ended;
    expect(sent).toBeLessThan(64);
  });
});

describe('an answer that no API server gives', () => {
  it('is said to be none', async () => {
    mischief = (_method, _path, response) => {
      response.end('<html>Welcome</html>');
      return true;
    };
    await expect(ensurePlane(attached, workspaceId)).rejects.toMatchObject({
      reason: 'ClusterFault',
      message: expect.stringMatching(/no API server does/),
    });
  });
});
