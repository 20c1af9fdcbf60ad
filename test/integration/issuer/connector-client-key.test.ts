import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify } from 'jose';
import { expect, it } from 'vitest';
import { readFields, startHttpsServer } from '../../support/https-server.ts';
import { createConnectorBench, STATE } from '../../support/redirect-connectors.ts';

it('shows a provider by its key which client it is, and no secret (RFC 7523)', async () => {
  let sent = new URLSearchParams();
  await using provider = await startHttpsServer((request, response) => {
    const answer = (body: object) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (request.url === '/.well-known/openid-configuration') {
      answer({
        issuer: provider.url,
        authorization_endpoint: `${provider.url}/authorize`,
        token_endpoint: `${provider.url}/token`,
        jwks_uri: `${provider.url}/jwks`,
      });
    } else {
      readFields(request).then((fields) => {
        sent = fields;
        answer({ error: 'enough' });
      }, response.destroy);
    }
  });
  await using bench = await createConnectorBench(provider.ca);
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const path = join(bench.directory, 'key.json');
  await writeFile(path, JSON.stringify({ ...(await exportJWK(privateKey)), kid: 'k' }));
  const connector = await bench.connect({
    type: 'oidc',
    issuer: provider.url,
    client_id: 'hexabase',
    token_endpoint_auth_method: 'private_key_jwt',
    private_key_path: path,
  });
  const { request } = await connector.begin({ state: STATE });
  const answer = new URL(`https://login.hexabase.test/?code=c&state=${STATE}`);
  await expect(connector.complete(answer, request)).rejects.toThrow(
    expect.objectContaining({ failure: 'invalid' }),
  );
  expect(sent.has('client_secret')).toBe(false);
  const keys = createLocalJWKSet({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k' }] });
  const { payload } = await jwtVerify(sent.get('client_assertion') ?? '', keys);
  expect(payload).toMatchObject({ iss: 'hexabase', sub: 'hexabase', aud: provider.url });
});
