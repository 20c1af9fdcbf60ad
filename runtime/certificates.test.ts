import { mkdtempSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createCertificateAuthority, loadCertificateAuthority } from './certificates.ts';
import { listen } from './http-server.ts';

describe('loadCertificateAuthority', () => {
  it('gives everyone the authority that was made first', async () => {
    const directory = join(mkdtempSync(join(tmpdir(), 'ca-')), 'new');
    const [a, b] = await Promise.all([
      loadCertificateAuthority(directory, 'test'),
      loadCertificateAuthority(directory, 'test'),
    ]);
    const c = await loadCertificateAuthority(directory, 'test');
    expect(b.certificate).toBe(a.certificate);
    expect(c.privateKey).toBe(a.privateKey);
  });
});

describe('sign', () => {
  it('makes server certificates that clients trust by name and by address, and no other name', async () => {
    const authority = await createCertificateAuthority('test');
    const tls = await authority.sign({
      commonName: 'x',
      hosts: ['localhost', '127.0.0.1'],
      days: 1,
    });
    await using server = await listen((_request, response) => response.end('ok'), {
      host: '127.0.0.1',
      port: 0,
      tls,
    });
    const get = (servername: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        request(
          {
            host: '127.0.0.1',
            port: server.port,
            servername,
            ca: authority.certificate,
            agent: false,
          },
          (response) => resolve(response.resume().statusCode),
        )
          .on('error', reject)
          .end();
      });
    await expect(get('localhost')).resolves.toBe(200);
    await expect(get('evil.example')).rejects.toThrow(/altnames/);
  });
});
