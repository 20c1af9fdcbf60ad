import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { letLooksFallDue, mapUpstreamGroup } from '../../support/group-mappings.ts';
import type { KeycloakUser } from '../../support/keycloak/realm.ts';
import { type Keycloak, startKeycloak } from '../../support/keycloak/server.ts';
import { refresh, SignInRefusedError } from '../../support/oidc-client.ts';
import { expectNoneLogged, expectRefusal } from '../../support/refusals.ts';
import {
  answerOf,
  oidcConnector,
  startUpstreamIssuer,
  type UpstreamIssuer,
} from '../../support/upstream.ts';
import { createWorkspace, type TestWorkspace } from './tenancy-rows.ts';

let database: TestDatabase;
let keycloak: Keycloak;
let issuer: UpstreamIssuer;
let workspace: TestWorkspace;

const user = (username: string, more: Partial<KeycloakUser> = {}): KeycloakUser => ({
  username,
  password: `password of ${username}`,
  email: `${username}@example.test`,
  emailVerified: true,
  firstName: username,
  lastName: 'Example',
  groups: ['/platform/database'],
  ...more,
});

beforeAll(async () => {
  database = await createTestDatabase();
  keycloak = await startKeycloak([
    user('alice'),
    user('bob', { emailVerified: false }),
    user('carol'),
    user('dave'),
    user('erin'),
    user('frank'),
  ]);
  issuer = await startUpstreamIssuer(database, {
    keycloak: oidcConnector(keycloak, { groups_claim: 'groups' }),
  });
  workspace = await createWorkspace(database);
  await mapUpstreamGroup(database, {
    workspaceId: workspace.id,
    groupId: await workspace.addGroup('dba'),
    connector: 'keycloak',
    upstreamGroup: '/platform/database',
  });
}, 400_000);
afterAll(async () => {
  if (issuer) expectNoneLogged(issuer.logLines, [keycloak.clientSecret, 'password of alice']);
  for (const each of [issuer, keycloak, database]) await each?.[Symbol.asyncDispose]();
});

const as = (username: string) => ({ username, password: `password of ${username}` });

const refusal = async (attempt: Promise<unknown>) => {
  const error: unknown = await attempt.catch((reason: unknown) => reason);
  if (!(error instanceof SignInRefusedError)) throw new Error('not refused', { cause: error });
  return error.page;
};

describe('Keycloak', () => {
  it('signs people in on its own pages, the same person each time', async () => {
    const first = await issuer.signIn('keycloak', as('alice'));
    expect(first.claims).toMatchObject({
      name: 'alice Example',
      email: 'alice@example.test',
      email_verified: true,
    });
    const second = await issuer.signIn('keycloak', as('alice'));
    expect(second.claims['sub']).toBe(first.claims['sub']);
    const organizations = await database.query(
      'SELECT FROM organization WHERE personal_for IS NOT NULL',
    );
    expect(organizations).toHaveLength(1);
  });

  it('isn’t asked for a password again while its session lasts, unless the client wants it', async () => {
    await using visitor = issuer.createVisitor();
    const options = { ...as('alice'), visitor };
    const first = await issuer.signIn('keycloak', options);
    const again = await issuer.signIn('keycloak', { visitor });
    expect(again.claims['sub']).toBe(first.claims['sub']);
    const page = await refusal(
      issuer.signIn('keycloak', { visitor, extraParams: { prompt: 'login' } }),
    );
    expect(page.url.origin).toBe(keycloak.url);
  });

  it('keeps whoever has a wrong password', async () => {
    const page = await refusal(issuer.signIn('keycloak', { username: 'alice', password: 'wrong' }));
    expect(page.url.origin).toBe(keycloak.url);
    expect(page.text).toContain('Invalid username or password');
  });

  it('is refused an e-mail address that it hasn’t verified', async () => {
    expectRefusal(
      await refusal(issuer.signIn('keycloak', as('bob'))),
      403,
      'upstream_unverified_email',
    );
  });

  it('that has disabled or deleted someone lets them in no more', async () => {
    await issuer.signIn('keycloak', as('carol'));
    await keycloak.disableUser('carol');
    const disabled = await refusal(issuer.signIn('keycloak', as('carol')));
    expect(disabled.text).toContain('disabled');
    await keycloak.deleteUser('carol');
    const deleted = await refusal(issuer.signIn('keycloak', as('carol')));
    expect(deleted.url.origin).toBe(keycloak.url);
  });

  it('that deletes someone in the middle of their sign-in gives no tokens for the code', async () => {
    const { url, visitor } = await issuer.depart('keycloak');
    const answer = await answerOf(keycloak, url, as('dave'));
    await keycloak.deleteUser('dave');
    expectRefusal(await visitor.open(answer.href), 400, 'upstream_invalid');
  });
});

describe('groups of Keycloak', () => {
  const refreshed = (refreshToken: string) =>
    refresh({ ...issuer, clientId: workspace.clientId, refreshToken });

  it('are rights here by a mapping, until Keycloak says otherwise at a refresh', async () => {
    const options = { ...as('erin'), clientId: workspace.clientId };
    const tokens = await issuer.signIn('keycloak', options);
    expect(tokens.claims['groups']).toEqual(['dba']);
    await letLooksFallDue(database);
    const still = await refreshed(tokens.refresh_token);
    expect(still.claims['groups']).toEqual(['dba']);
    await keycloak.removeFromGroup('erin', '/platform/database');
    await letLooksFallDue(database);
    await expect(refreshed(still.refresh_token)).rejects.toMatchObject({ error: 'invalid_grant' });
    expect((await refusal(issuer.signIn('keycloak', options))).text).toContain(
      'You are not a member of this workspace',
    );
  });

  it('end with the account there, and with them every sign-in', async () => {
    const options = { ...as('frank'), clientId: workspace.clientId };
    const tokens = await issuer.signIn('keycloak', options);
    const other = await issuer.signIn('keycloak', as('frank'));
    await keycloak.deleteUser('frank');
    const unaware = await refreshed(tokens.refresh_token);
    await letLooksFallDue(database);
    await expect(refreshed(unaware.refresh_token)).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    const elsewhere = { ...issuer, clientId: 'hexabase-cli', refreshToken: other.refresh_token };
    await expect(refresh(elsewhere)).rejects.toMatchObject({ error: 'invalid_grant' });
  });
});
