import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callbackOf } from '../../../issuer/connectors/registry.ts';
import { findFreePort } from '../../../quickstart/embedded-postgres.ts';
import { createPageVisitor } from '../../../quickstart/page-visitor.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startTestIssuer, TEST_PASSWORD, type TestIssuer } from '../../support/issuer.ts';
import { SignInRefusedError } from '../../support/oidc-client.ts';
import { expectNoneLogged, expectRefusal } from '../../support/refusals.ts';
import {
  answerOf,
  oidcConnector,
  startUpstreamIssuer,
  type UpstreamIssuer,
  type UpstreamProvider,
} from '../../support/upstream.ts';

const CLIENT_SECRET = randomBytes(32).toString('hex');

let databases: TestDatabase[];
let first: TestIssuer;
let issuer: UpstreamIssuer;
let provider: UpstreamProvider;

beforeAll(async () => {
  databases = [await createTestDatabase(), await createTestDatabase()];
  const port = await findFreePort();
  first = await startTestIssuer(
    databases[0] as TestDatabase,
    [{ username: 'alice', name: 'Alice', email: 'alice@example.test' }, { username: 'bob' }],
    {
      host: '127.0.0.1',
      clients: [
        {
          client_id: 'second-instance',
          client_name: 'Second instance',
          redirect_uris: [callbackOf(`https://localhost:${port}`, 'first')],
          token_endpoint_auth_method: 'client_secret_basic',
          client_secret_sha256: createHash('sha256').update(CLIENT_SECRET).digest('hex'),
        },
      ],
    },
  );
  provider = {
    url: first.issuerUrl,
    ca: first.ca,
    clientId: 'second-instance',
    clientSecret: CLIENT_SECRET,
    registerCallback: () => {},
  };
  issuer = await startUpstreamIssuer(
    databases[1] as TestDatabase,
    { first: oidcConnector(provider, { require_verified_email: false, refresh: true }) },
    { port },
  );
});
afterAll(async () => {
  expectNoneLogged(issuer.logLines, [CLIENT_SECRET, TEST_PASSWORD]);
  for (const each of [issuer, first, ...databases]) await each?.[Symbol.asyncDispose]();
});

const as = (username: string) => ({ username, password: TEST_PASSWORD });

describe('an issuer of ours before another one of ours', () => {
  it('signs people in, the same person each time', async () => {
    const once = await issuer.signIn('first', as('alice'));
    expect(once.claims).toMatchObject({ iss: issuer.issuerUrl, name: 'Alice' });
    expect((await issuer.signIn('first', as('alice'))).claims['sub']).toBe(once.claims['sub']);
    const identities = await (databases[1] as TestDatabase).query<{ subject: string }>(
      "SELECT subject FROM identity WHERE connector = 'first'",
    );
    expect(identities).toHaveLength(1);
    expect(identities[0]?.subject).not.toBe(once.claims['sub']);
  });

  it('that has suspended someone lets them in no more', async () => {
    await issuer.signIn('first', as('bob'));
    await (databases[0] as TestDatabase).query(
      "UPDATE person SET suspended_at = now() WHERE display_name = 'bob'",
    );
    const error: unknown = await issuer
      .signIn('first', as('bob'))
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SignInRefusedError);
    expect((error as SignInRefusedError).page.text).toContain('This account is suspended');
  });

  it('whose person says no there gets our page', async () => {
    const { url, visitor } = await issuer.depart('first');
    await using there = createPageVisitor(first.ca);
    const end = await there.submit(await there.open(url.href), { action: '/cancel' });
    expect(end.url.searchParams.get('error')).toBe('access_denied');
    expectRefusal(await visitor.open(end.url.href), 403, 'upstream_denied');
  });

  it('takes no answer twice', async () => {
    const { url, visitor } = await issuer.depart('first');
    const answer = await answerOf(provider, url, as('alice'));
    expect(answer.searchParams.get('iss')).toBe(first.issuerUrl);
    const forged = new URL(answer);
    forged.searchParams.set('iss', issuer.issuerUrl);
    expectRefusal(await visitor.open(forged.href), 400, 'upstream_invalid');
    expectRefusal(await visitor.open(answer.href), 400, 'upstream_invalid');
  });
});
