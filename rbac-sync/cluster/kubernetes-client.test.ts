import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createKubernetesClient, type KubernetesClient } from './kubernetes-client.ts';
import { listObjects } from './list-objects.ts';

let server: Server;
let client: KubernetesClient;
afterEach(async () => {
  await client[Symbol.asyncDispose]();
  server.closeAllConnections();
  server.close();
});

const start = async (listener: RequestListener, answerMs = 20_000): Promise<void> => {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  client = createKubernetesClient({
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    certificateAuthority: '',
    // As of a cluster of somebody else's.
    address: '127.0.0.1',
    credential: { token: () => 'x' },
    answerMs,
  });
};

describe('a server that means us no good', () => {
  it('holds up nobody by an answer that comes bit by bit', async () => {
    await start((_request, response) => {
      const timer = setInterval(() => response.write(' '), 50);
      response.on('close', () => clearInterval(timer));
    }, 500);
    await expect(client.request('/')).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  });

  it('fills no memory by an answer without an end', async () => {
    await start((_request, response) => {
      const write = () => {
        while (response.write('['.repeat(1 << 20)));
        response.once('drain', write);
      };
      write();
    });
    await expect(client.request('/')).rejects.toMatchObject({
      code: 'UND_ERR_RES_EXCEEDED_MAX_SIZE',
    });
  });

  it('is asked for no more pages than there can be', async () => {
    let pages = 0;
    await start((_request, response) => {
      pages += 1;
      response.end(
        JSON.stringify({ metadata: { resourceVersion: '1', continue: 'x' }, items: [] }),
      );
    });
    const list = listObjects(client, { path: '/roles', kind: 'Role', labelSelector: '' });
    await expect(list).rejects.toThrow('more than 50000 objects');
    expect(pages).toBe(100);
  });
});
