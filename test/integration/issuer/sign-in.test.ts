import { parse } from 'node-html-parser';
import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatId } from '#domain/identifiers.ts';
import { createPageVisitor } from '../../../quickstart/page-visitor.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startTestIssuer, TEST_PASSWORD, type TestIssuer } from '../../support/issuer.ts';
import {
  approveDevice,
  createOidcClient,
  redeemDevice,
  refresh,
  SignInRefusedError,
  signInWithCode,
  signInWithDevice,
  startDevice,
} from '../../support/oidc-client.ts';
import { createPerson, createWorkspace, type TestWorkspace } from './tenancy-rows.ts';

let database: TestDatabase;
let issuer: TestIssuer;
let workspace: TestWorkspace;
let alice: string;
let groups: Record<'root' | 'team' | 'squad' | 'other', string>;

beforeAll(async () => {
  database = await createTestDatabase();
  issuer = await startTestIssuer(database, [
    { username: 'alice', name: 'Alice', email: 'alice@example.test' },
    { username: 'bob' },
    { username: 'carol' },
  ]);
  workspace = await createWorkspace(database);
  alice = await createPerson(database, 'alice');
  const root = await workspace.addGroup('WorkspaceMembers');
  const team = await workspace.addGroup('team', root);
  const squad = await workspace.addGroup('Squad', team);
  const other = await workspace.addGroup('other', root);
  groups = { root, team, squad, other };
  await workspace.addMember(alice, squad);
});
afterAll(async () => {
  await issuer[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const as = (username: string, clientId = workspace.clientId) => ({
  issuerUrl: issuer.issuerUrl,
  ca: issuer.ca,
  clientId,
  username,
  password: TEST_PASSWORD,
});

const refusal = async (attempt: Promise<unknown>): Promise<SignInRefusedError> => {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof SignInRefusedError)) throw new Error('not refused', { cause: error });
  return error;
};

describe('the code flow as kubelogin does it', () => {
  it('gives an ID token with own groups and all ancestors, and a refresh token', async () => {
    const { claims, refresh_token, access_token } = await signInWithCode(as('alice'));
    expect(claims).toMatchObject({
      iss: issuer.issuerUrl,
      aud: workspace.clientId,
      sub: formatId('person', alice),
      workspace: workspace.clientId,
      name: 'Alice',
      email: 'alice@example.test',
      groups: ['Squad', 'WorkspaceMembers', 'team'],
    });
    expect(Number(claims['exp']) - Number(claims['iat'])).toBe(120);
    // It ends with the id of the key that its successors derive from.
    expect(refresh_token).toMatch(/^[\w-]{43}\.[\w-]{6}$/);
    expect(access_token).not.toContain('.');
  });

  it('carries the groups of that workspace only', async () => {
    const elsewhere = await createWorkspace(database, 'Elsewhere');
    await elsewhere.addMember(alice, await elsewhere.addGroup('secret'));
    expect((await signInWithCode(as('alice'))).claims['groups']).not.toContain('secret');
    const there = await signInWithCode(as('alice', elsewhere.clientId));
    expect(there.claims).toMatchObject({ aud: elsewhere.clientId, groups: ['secret'] });
  });

  it('ends with the first membership that it carries, also when it is refreshed', async () => {
    const brief = await workspace.addGroup('brief', groups.root);
    await workspace.addMember(alice, brief);
    const end = async (interval: string | null) =>
      (
        await database.query<{ expires_at: Date | null }>(
          `UPDATE group_member SET expires_at = now() + $2::interval WHERE group_id = $1 RETURNING expires_at`,
          [brief, interval],
        )
      )[0]?.expires_at;
    const endsAt = (await end('40 seconds')) ?? new Date();
    const { claims, refresh_token } = await signInWithCode(as('alice'));
    expect(claims['groups']).toContain('brief');
    expect(claims).not.toHaveProperty('seconds_left');
    expect(Number(claims['exp']) * 1000).toBeLessThanOrEqual(endsAt.getTime());
    expect(Number(claims['exp']) * 1000).toBeGreaterThan(endsAt.getTime() - 3_000);
    const sooner = (await end('20 seconds')) ?? new Date();
    const refreshed = await refresh({ ...as('alice'), refreshToken: refresh_token });
    expect(Number(refreshed.claims['exp']) * 1000).toBeLessThanOrEqual(sooner.getTime());
    await end('1 day');
    const { exp, iat } = (await signInWithCode(as('alice'))).claims;
    expect(Number(exp) - Number(iat)).toBe(120);
    await database.query('DELETE FROM group_member WHERE group_id = $1', [brief]);
  });

  it('goes on with the session of the browser, but asks to confirm each sign-in', async () => {
    await using visitor = createPageVisitor(issuer.ca);
    await signInWithCode({ ...as('alice'), visitor });
    await using client = await createOidcClient(as('alice'));
    const url = openid.buildAuthorizationUrl(client.configuration, {
      redirect_uri: 'http://localhost:18000',
      scope: 'openid',
      code_challenge: await openid.calculatePKCECodeChallenge('v'.repeat(43)),
      code_challenge_method: 'S256',
    });
    const page = await visitor.open(url.href);
    expect(page.text).toMatch(/Sign in to Payments\?.*Acme Corporation.*kubectl.*Alice/);
    expect((await visitor.submit(page, { action: '/confirm' })).url.origin).toBe(
      'http://localhost:18000',
    );
  });

  it('refuses someone who is not a member, clearly, with a way to sign in as someone else', async () => {
    await using visitor = createPageVisitor(issuer.ca);
    const { page } = await refusal(signInWithCode({ ...as('bob'), visitor }));
    expect(page.status).toBe(403);
    expect(page.text).toMatch(/You are not a member.*Payments.*Acme Corporation/);
    const link = page.document.querySelector('a[href$="/switch"]')?.getAttribute('href') ?? '';
    const again = await visitor.open(new URL(link, page.url).href);
    const confirm = await visitor.submit(again, {
      having: 'password',
      fields: { username: 'alice', password: TEST_PASSWORD },
    });
    expect(confirm.text).toMatch(/Sign in to Payments\?.*Alice/);
    expect(
      (await visitor.submit(confirm, { action: '/confirm' })).url.searchParams.get('code'),
    ).toBeTruthy();
  });

  it('never lets a non-member confirm by posting the form all the same', async () => {
    await using visitor = createPageVisitor(issuer.ca);
    const { page } = await refusal(signInWithCode({ ...as('bob'), visitor }));
    const document = parse(`<form method="post" action="${page.url.pathname}/confirm"></form>`);
    const answer = await visitor.submit({ ...page, document });
    expect(answer.status).toBe(403);
    expect(answer.left).toBe(false);
  });

  it('tells the program when the person cancels', async () => {
    await using visitor = createPageVisitor(issuer.ca);
    const { page } = await refusal(signInWithCode({ ...as('bob'), visitor }));
    const answer = await visitor.submit(page, { action: '/cancel' });
    expect(answer.url.searchParams.get('error')).toBe('access_denied');
    expect(answer.url.searchParams.get('iss')).toBe(issuer.issuerUrl);
  });

  it.each([
    ['a wrong password', { password: 'wrong' }],
    ['an unknown username', { username: 'nobody' }],
  ])('refuses %s with the same words', async (_name, change) => {
    const { page } = await refusal(signInWithCode({ ...as('alice'), ...change }));
    expect(page.status).toBe(401);
    expect(page.text).toContain('Username and password don’t belong together');
  });
});

describe('the silent refresh', () => {
  it('carries the groups as they are then', async () => {
    const { refresh_token } = await signInWithCode(as('alice'));
    await workspace.leaveGroup(alice, groups.squad);
    await workspace.addMember(alice, groups.other);
    const renewed = await refresh({ ...as('alice'), refreshToken: refresh_token });
    expect(renewed.claims['groups']).toEqual(['WorkspaceMembers', 'other']);
    expect(renewed.claims['workspace']).toBe(workspace.clientId);
    await workspace.leaveGroup(alice, groups.other);
    await workspace.addMember(alice, groups.squad);
    const again = await refresh({ ...as('alice'), refreshToken: renewed.refresh_token });
    expect(again.claims['groups']).toEqual(['Squad', 'WorkspaceMembers', 'team']);
  });

  it('ends with membership of the workspace', async () => {
    const carol = await createPerson(database, 'carol');
    await workspace.addMember(carol, groups.team);
    const { refresh_token } = await signInWithCode(as('carol'));
    await workspace.removeMember(carol);
    await expect(refresh({ ...as('carol'), refreshToken: refresh_token })).rejects.toMatchObject({
      error: 'invalid_grant',
    });
  });

  it('ends with suspension, and the sign-in too', async () => {
    const { refresh_token } = await signInWithCode(as('alice'));
    await using visitor = createPageVisitor(issuer.ca);
    await signInWithCode({ ...as('alice'), visitor });
    await database.query('UPDATE person SET suspended_at = now() WHERE id = $1', [alice]);
    await expect(refresh({ ...as('alice'), refreshToken: refresh_token })).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    const fresh = await refusal(signInWithCode(as('alice')));
    expect(fresh.page.status).toBe(403);
    expect(fresh.page.text).toContain('This account is suspended');
    const withSession = await refusal(signInWithCode({ ...as('alice'), visitor }));
    expect(withSession.page.text).toContain('This account is suspended');
    await database.query('UPDATE person SET suspended_at = NULL WHERE id = $1', [alice]);
  });

  it('ends twelve hours after the sign-in, however often it was renewed', async () => {
    const { refresh_token } = await signInWithCode(as('alice'));
    const before = await database.query<{ expires_at: Date }>(
      "SELECT expires_at FROM oidc_artifact WHERE model = 'RefreshToken' ORDER BY created_at DESC LIMIT 1",
    );
    await refresh({ ...as('alice'), refreshToken: refresh_token });
    const after = await database.query<{ expires_at: Date }>(
      "SELECT expires_at FROM oidc_artifact WHERE model = 'RefreshToken' ORDER BY created_at DESC LIMIT 1",
    );
    const [first, second] = [before[0]!.expires_at.getTime(), after[0]!.expires_at.getTime()];
    expect(first - Date.now()).toBeLessThanOrEqual(12 * 3_600_000);
    expect(second).toBeLessThanOrEqual(first + 1_500);
  });
});

describe('the device flow', () => {
  it('gives the same tokens after entering the code, signing in and confirming', async () => {
    const { claims, refresh_token } = await signInWithDevice(as('alice'));
    expect(claims['groups']).toEqual(['Squad', 'WorkspaceMembers', 'team']);
    const renewed = await refresh({ ...as('alice'), refreshToken: refresh_token });
    expect(renewed.claims['groups']).toEqual(['Squad', 'WorkspaceMembers', 'team']);
  });

  it('names workspace, organization and code, and approves nothing by the complete address alone', async () => {
    await using client = await createOidcClient(as('alice'));
    await using visitor = createPageVisitor(issuer.ca);
    await signInWithCode({ ...as('alice'), visitor });
    const device = await startDevice(client);
    const landing = await visitor.open(device.verification_uri_complete ?? '');
    const check = await visitor.submit(landing);
    expect(check.text).toContain(device.user_code);
    expect(check.text).toMatch(/Payments.*Acme Corporation/);
    await expect(redeemDevice(client, device)).rejects.toMatchObject({
      error: 'authorization_pending',
    });
    const confirm = await visitor.submit(check, { having: 'confirm' });
    expect(confirm.text).toMatch(/Sign in to Payments\?.*the device that shows the code.*Alice/);
    await expect(redeemDevice(client, device)).rejects.toMatchObject({
      error: 'authorization_pending',
    });
    expect((await visitor.submit(confirm, { action: '/confirm' })).text).toContain(
      'You are signed in',
    );
    expect((await redeemDevice(client, device)).claims['sub']).toBe(formatId('person', alice));
  });

  it('gives the device nothing when the person refuses, and says so', async () => {
    await using client = await createOidcClient(as('alice'));
    await using visitor = createPageVisitor(issuer.ca);
    const device = await startDevice(client);
    const entry = await visitor.open(device.verification_uri);
    const check = await visitor.submit(entry, { fields: { user_code: device.user_code } });
    const refused = await visitor.submit(check, { having: 'abort' });
    expect(refused.text).toContain('You have refused the sign-in');
    expect(refused.document.querySelector('#user-code')?.getAttribute('value')).toBe('');
    await expect(redeemDevice(client, device)).rejects.toMatchObject({ error: 'access_denied' });
  });

  it('refuses someone who is not a member', async () => {
    await using client = await createOidcClient(as('bob'));
    await using visitor = createPageVisitor(issuer.ca);
    const device = await startDevice(client);
    const end = await approveDevice(visitor, device, as('bob'));
    expect(end.status).toBe(403);
    expect(end.text).toContain('You are not a member of this workspace');
    await expect(redeemDevice(client, device)).rejects.toMatchObject({
      error: 'authorization_pending',
    });
  });

  it('says that an unknown code is unknown', async () => {
    await using visitor = createPageVisitor(issuer.ca);
    const entry = await visitor.open(`${issuer.issuerUrl}/device`);
    const page = await visitor.submit(entry, { fields: { user_code: '<b>X</b>' } });
    expect(page.text).toContain('That code is not known');
  });
});
