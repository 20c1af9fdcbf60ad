/** Web clients when a provider takes someone back: they are told (Back-Channel Logout 1.0), once. */
import { randomUUID } from 'node:crypto';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createCertificateAuthority } from '#runtime/certificates.ts';
import type { PageVisitor } from '../../../quickstart/page-visitor.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type HostileProvider, startHostileProvider } from '../../support/hostile-provider.ts';
import {
  type LogoutReceiver,
  startLogoutReceiver,
  verifyLogoutToken,
} from '../../support/logout-receiver.ts';
import { poll } from '../../support/poll.ts';
import { oidcConnector, startUpstreamIssuer, type UpstreamIssuer } from '../../support/upstream.ts';
import { createWebClient, type TestWebClient } from '../../support/web-client.ts';
import { letTimePass } from './upstream-rows.ts';

const CALLBACK = 'https://console.example.com/callback';
const NOBODY = { username: '', password: '' };

let stack: AsyncDisposableStack;
let database: TestDatabase;
let provider: HostileProvider;
let issuer: UpstreamIssuer;
let receiver: LogoutReceiver;
let console: TestWebClient;
let browser: PageVisitor;
let subject: string;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  const authority = await createCertificateAuthority('authority of the console');
  // As NODE_EXTRA_CA_CERTS does for the issuer's process.
  setDefaultCACertificates([...getCACertificates('default'), authority.certificate]);
  receiver = stack.use(await startLogoutReceiver(authority));
  database = stack.use(await createTestDatabase());
  provider = stack.use(await startHostileProvider());
  const client = {
    client_id: 'console',
    client_name: 'Console',
    redirect_uris: [CALLBACK],
    backchannel_logout_uri: receiver.address,
    token_endpoint_auth_method: 'none' as const,
  };
  const connectors = { corp: oidcConnector(provider, { groups_claim: 'groups' }) };
  issuer = stack.use(await startUpstreamIssuer(database, connectors, { clients: [client] }));
  const redirectUri = CALLBACK;
  console = stack.use(await createWebClient({ issuer, clientId: 'console', redirectUri }));
});
beforeEach(() => {
  subject = `sub-${randomUUID()}`;
  provider.behave({});
  provider.setPerson({ sub: subject, email: 'a@example.test', email_verified: true });
  receiver.received.length = 0;
  receiver.answer = { status: 204 };
  browser = issuer.createVisitor();
  return () => browser[Symbol.asyncDispose]();
});
afterAll(() => stack.disposeAsync());

const signIn = async (visitor = browser) => {
  const tokens = await console.signIn(visitor, NOBODY, { connector_id: 'corp' });
  return { refreshToken: tokens.refresh_token ?? '', sid: tokens.claims()?.['sid'] };
};
const toldSids = async (count: number) => {
  await poll('the logout tokens', async () => receiver.received.length >= count);
  const tokens = receiver.received.map(({ token }) => verifyLogoutToken(issuer, 'console', token));
  return (await Promise.all(tokens)).map(({ sid }) => sid);
};
const sessionsOfAnyone = () =>
  database.query(`SELECT FROM oidc_artifact WHERE model = 'Session' AND account_id IS NOT NULL`);
const isGone = async () => {
  provider.forgetEveryone();
  await letTimePass(database, subject);
};

describe('a web client of someone whom the provider has taken back', () => {
  it('is told of each session when the one or the other of their tokens is asked for', async () => {
    await using other = issuer.createVisitor();
    const [one, two] = [await signIn(), await signIn(other)];
    await isGone();
    const refused = console.refresh(one.refreshToken);
    await expect(refused).rejects.toMatchObject({ error: 'invalid_grant' });
    expect((await toldSids(2)).toSorted()).toEqual([one.sid, two.sid].toSorted());
    expect(await sessionsOfAnyone()).toEqual([]);
  });

  it('is told when they come back with their browser, which signs in anew in another session', async () => {
    const before = await signIn();
    await isGone();
    const asked = provider.requests.length;
    const again = await signIn();
    expect(provider.requests.slice(asked)).toContain('authorize');
    expect(await toldSids(1)).toEqual([before.sid]);
    expect(again.sid).not.toBe(before.sid);
    expect((await console.refresh(again.refreshToken)).id_token).toBeDefined();
  });

  it('holds up nobody when it can’t be told, and the log says so', async () => {
    receiver.answer = { status: 500 };
    const { refreshToken } = await signIn();
    await isGone();
    await expect(console.refresh(refreshToken)).rejects.toMatchObject({ error: 'invalid_grant' });
    await poll('the log', async () => issuer.logLines.join().includes('backchannel.error'));
  });
});
