/** The end of a session as clients see it: RP-Initiated Logout 1.0 and Back-Channel Logout 1.0. */
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createCertificateAuthority } from '#runtime/certificates.ts';
import { createPageVisitor, type PageVisitor } from '../../../quickstart/page-visitor.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startTestIssuer, TEST_PASSWORD, type TestIssuer } from '../../support/issuer.ts';
import {
  type LogoutReceiver,
  startLogoutReceiver,
  verifyLogoutToken,
} from '../../support/logout-receiver.ts';
import { refresh, signInWithCode } from '../../support/oidc-client.ts';
import { createWebClient, type TestWebClient } from '../../support/web-client.ts';

const CONSOLE = 'https://console.example.com';
const ALICE = { username: 'alice', password: TEST_PASSWORD };

let stack: AsyncDisposableStack;
let database: TestDatabase;
let issuer: TestIssuer;
let receiver: LogoutReceiver;
let console: TestWebClient;
let visitor: PageVisitor;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  const authority = await createCertificateAuthority('authority of the console');
  // As NODE_EXTRA_CA_CERTS does for the issuer's process.
  setDefaultCACertificates([...getCACertificates('default'), authority.certificate]);
  receiver = stack.use(await startLogoutReceiver(authority));
  database = stack.use(await createTestDatabase());
  issuer = stack.use(
    await startTestIssuer(database, [{ username: 'alice' }, { username: 'bob' }], {
      clients: [
        {
          client_id: 'console',
          client_name: 'Console',
          redirect_uris: [`${CONSOLE}/callback`],
          post_logout_redirect_uris: [`${CONSOLE}/signed-out`],
          backchannel_logout_uri: receiver.address,
          token_endpoint_auth_method: 'none',
        },
      ],
    }),
  );
  const redirectUri = `${CONSOLE}/callback`;
  console = stack.use(await createWebClient({ issuer, clientId: 'console', redirectUri }));
});
beforeEach(async () => {
  await database.query(`DELETE FROM oidc_artifact WHERE model = 'Session'`);
  receiver.received.length = 0;
  receiver.answer = { status: 204 };
  visitor = createPageVisitor(issuer.ca);
  return () => visitor[Symbol.asyncDispose]();
});
afterAll(() => stack.disposeAsync());

const signIn = async () => {
  const tokens = await console.signIn(visitor, ALICE);
  const { id_token = '', refresh_token = '' } = tokens;
  return { id_token, refresh_token, claims: { ...tokens.claims() } as Record<string, unknown> };
};
const signOut = async (hint: string) => {
  const page = await console.signOut(visitor, {
    id_token_hint: hint,
    post_logout_redirect_uri: `${CONSOLE}/signed-out`,
    state: 'where-i-was',
  });
  return visitor.submit(page, { having: 'logout' });
};
const isSignedIn = async () => {
  const query = new URLSearchParams({
    client_id: 'console',
    redirect_uri: `${CONSOLE}/callback`,
    response_type: 'code',
    scope: 'openid',
    prompt: 'none',
    code_challenge: 'A'.repeat(43),
    code_challenge_method: 'S256',
  });
  const { url } = await visitor.open(`${issuer.issuerUrl}/auth?${query}`);
  return url.searchParams.get('error') !== 'login_required';
};

describe('sign-out at a client', () => {
  it('ends the session and the client’s tokens, tells the client, and leads back to it', async () => {
    const tokens = await signIn();
    const cookies = await visitor.cookies.getCookies(issuer.issuerUrl);
    const end = await signOut(tokens.id_token);
    expect(end.left && end.url.href).toBe(`${CONSOLE}/signed-out?state=where-i-was`);
    await expect(console.refresh(tokens.refresh_token)).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    expect(receiver.received).toHaveLength(1);
    const [{ token = '', contentType = '' } = {}] = receiver.received;
    expect(contentType).toMatch(/^application\/x-www-form-urlencoded/);
    const payload = await verifyLogoutToken(issuer, 'console', token);
    expect(payload.sid).toBe(tokens.claims['sid']);
    for (const cookie of cookies) await visitor.cookies.setCookie(cookie, issuer.issuerUrl);
    expect(await isSignedIn()).toBe(false);
  });

  it('asks the person first', async () => {
    const tokens = await signIn();
    await console.signOut(visitor, { id_token_hint: tokens.id_token });
    expect(await isSignedIn()).toBe(true);
    await console.refresh(tokens.refresh_token);
    expect(receiver.received).toEqual([]);
  });

  it('leads straight on where nobody is signed in', async () => {
    const { id_token } = await signIn();
    await using other = createPageVisitor(issuer.ca);
    const page = await other.open(`${issuer.issuerUrl}/session/end`);
    expect([page.status, page.url.pathname]).toEqual([200, '/session/end/success']);
    expect(page.text).toContain('You are signed out');
    const end = await console.signOut(other, {
      id_token_hint: id_token,
      post_logout_redirect_uri: `${CONSOLE}/signed-out`,
      state: 'where-i-was',
    });
    expect(end.left && end.url.href).toBe(`${CONSOLE}/signed-out?state=where-i-was`);
    const refused = await console.signOut(other, {
      id_token_hint: id_token,
      post_logout_redirect_uri: 'https://evil.example/',
    });
    expect([refused.status, refused.left]).toEqual([400, false]);
  });

  it('leaves the terminal signed in, and says so', async () => {
    const options = { ...ALICE, issuerUrl: issuer.issuerUrl, ca: issuer.ca, visitor };
    const terminal = await signInWithCode({ ...options, clientId: 'hexabase-cli' });
    const tokens = await signIn();
    const page = await console.signOut(visitor, { id_token_hint: tokens.id_token });
    expect(page.text).toContain('Terminals that are signed in stay so');
    await visitor.submit(page, { having: 'logout' });
    await refresh({
      ...options,
      clientId: 'hexabase-cli',
      refreshToken: terminal.refresh_token,
    });
  });

  it.each([
    `${CONSOLE}/signed-out/`,
    `${CONSOLE}/signed-out?x=1`,
    'https://console.example.com@evil.example/signed-out',
    'https://evil.example/',
    'javascript:alert(1)',
  ])('never leads to %s', async (address) => {
    const { id_token } = await signIn();
    const page = await console.signOut(visitor, {
      id_token_hint: id_token,
      post_logout_redirect_uri: address,
    });
    expect(page.status).toBe(400);
    expect(page.document.querySelector('form[action$="/confirm"]')).toBeNull();
    expect(await isSignedIn()).toBe(true);
  });

  it('takes no ID token that isn’t ours', async () => {
    const { id_token } = await signIn();
    const [header, payload] = id_token.split('.');
    const page = await console.signOut(visitor, { id_token_hint: `${header}.${payload}.AAAA` });
    expect(page.status).toBe(400);
  });
});

describe('the back channel', () => {
  it.each([
    ['fails', { status: 500 }],
    ['sends us elsewhere', { status: 307, location: '/elsewhere' }],
  ])('doesn’t hold up the sign-out when it %s', async (_name, answer) => {
    receiver.answer = answer;
    const tokens = await signIn();
    expect((await signOut(tokens.id_token)).left).toBe(true);
    expect(receiver.received).toHaveLength(1);
    expect(await isSignedIn()).toBe(false);
  });

  it.each([
    ['its person ends the session elsewhere', /^\/account\/sessions\/[\w-]+\/end$/],
    ['its person signs out everywhere', /^\/account\/sign-out-everywhere$/],
  ])('is told when %s', async (_name, form) => {
    const tokens = await signIn();
    const page = await visitor.open(`${issuer.issuerUrl}/account/sessions`);
    const action = page.document
      .querySelectorAll('form')
      .map((each) => each.getAttribute('action') ?? '')
      .find((each) => form.test(each));
    await visitor.submit(page, { action: action ?? 'none' });
    expect(receiver.received).toHaveLength(1);
    const { sid } = await verifyLogoutToken(issuer, 'console', receiver.received[0]?.token ?? '');
    expect(sid).toBe(tokens.claims['sid']);
    await expect(console.refresh(tokens.refresh_token)).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    expect(await isSignedIn()).toBe(false);
  });

  it('doesn’t hold up signing out everywhere when it fails', async () => {
    receiver.answer = { status: 500 };
    await signIn();
    const page = await visitor.open(`${issuer.issuerUrl}/account/sessions`);
    const end = await visitor.submit(page, { action: '/sign-out-everywhere' });
    expect([end.status, receiver.received.length]).toEqual([200, 1]);
  });

  it('is told when another person signs in with the browser', async () => {
    const tokens = await signIn();
    const options = { ...issuer, clientId: 'hexabase-cli', visitor, password: TEST_PASSWORD };
    await signInWithCode({ ...options, username: 'bob', extraParams: { prompt: 'login' } });
    const { sid } = await verifyLogoutToken(issuer, 'console', receiver.received[0]?.token ?? '');
    expect(sid).toBe(tokens.claims['sid']);
    await expect(console.refresh(tokens.refresh_token)).rejects.toMatchObject({
      error: 'invalid_grant',
    });
  });

  it('names a session by an id that is the same in all its tokens, and another in another', async () => {
    const first = await signIn();
    const again = await signIn();
    expect(again.claims['sid']).toBe(first.claims['sid']);
    await using other = createPageVisitor(issuer.ca);
    const elsewhere = await console.signIn(other, ALICE);
    expect(elsewhere.claims()?.['sid']).not.toBe(first.claims['sid']);
  });
});
