/** A person's session for a token of another of their workspaces, and everything that is none. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startTestIssuer, TEST_PASSWORD, type TestIssuer } from '../../support/issuer.ts';
import { refresh, signInWithCode, type Tokens } from '../../support/oidc-client.ts';
import {
  TOKEN_EXCHANGE,
  type TokenEndpoint,
  tokenEndpointOf,
} from '../../support/token-endpoint.ts';
import { createMachine } from './machine-rows.ts';
import { createPerson, createWorkspace, type TestWorkspace } from './tenancy-rows.ts';

let stack: AsyncDisposableStack;
let database: TestDatabase;
let issuer: TestIssuer;
let tokens: TokenEndpoint;
let alice: string;
let here: TestWorkspace;
let there: TestWorkspace;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  database = stack.use(await createTestDatabase());
  issuer = stack.use(await startTestIssuer(database, [{ username: 'alice' }]));
  tokens = stack.use(tokenEndpointOf(issuer));
  alice = await createPerson(database, 'alice');
});
beforeEach(async () => {
  here = await createWorkspace(database);
  there = await createWorkspace(database);
  await here.addMember(alice, await here.addGroup('here'));
  await there.addMember(alice, await there.addGroup('there'));
});
afterAll(() => stack.disposeAsync());

const clientOf = (clientId: string) => ({ issuerUrl: issuer.issuerUrl, ca: issuer.ca, clientId });
const signIn = (clientId = here.clientId, extraParams = {}): Promise<Tokens> =>
  signInWithCode({
    ...clientOf(clientId),
    username: 'alice',
    password: TEST_PASSWORD,
    extraParams,
  });
const type = (name: string): string => `urn:ietf:params:oauth:token-type:${name}`;
const exchange = (subject_token: string, other: Record<string, string> = {}) =>
  tokens.ask({
    grant_type: TOKEN_EXCHANGE,
    client_id: here.clientId,
    subject_token_type: type('refresh_token'),
    subject_token,
    audience: there.clientId,
    ...other,
  });
const refused = { status: 400, body: { error: 'invalid_request' } };

describe('a session', () => {
  it('gets a token of another workspace: the same person and session, with the groups there', async () => {
    const signedIn = await signIn();
    const { status, body } = await exchange(signedIn.refresh_token);
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body['refresh_token']).toBeUndefined();
    const claims = await tokens.read(body['access_token']);
    expect(claims).toMatchObject({
      sub: signedIn.claims['sub'],
      sid: signedIn.claims['sid'],
      aud: there.clientId,
      workspace: there.clientId,
      groups: ['there'],
    });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(120);
    expect(
      (await refresh({ ...clientOf(here.clientId), refreshToken: signedIn.refresh_token })).claims[
        'groups'
      ],
    ).toEqual(['here']);
  });

  it('of the command line does too', async () => {
    const { refresh_token } = await signIn('hexabase-cli');
    const { body } = await exchange(refresh_token, { client_id: 'hexabase-cli' });
    expect(await tokens.read(body['access_token'])).toMatchObject({ aud: there.clientId });
  });

  it('gets nothing where its person is no member, nor for what is no workspace', async () => {
    const { refresh_token } = await signIn();
    await there.removeMember(alice);
    expect(await exchange(refresh_token)).toMatchObject(refused);
    for (const audience of [issuer.apiAudience, 'hexabase-cli', '']) {
      const answer = await exchange(refresh_token, { audience });
      expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_target' } });
    }
  });

  it('gets nothing for a workspace that is closed', async () => {
    const { refresh_token } = await signIn();
    await database.query('UPDATE workspace SET suspended_at = now() WHERE id = $1', [there.id]);
    expect((await exchange(refresh_token)).body['error']).toBe('invalid_grant');
  });

  it('gets nothing for someone who is suspended, or whose sign-in was revoked', async () => {
    const { refresh_token } = await signIn();
    await database.query('UPDATE person SET suspended_at = now() WHERE id = $1', [alice]);
    const suspended = await exchange(refresh_token);
    await database.query('UPDATE person SET suspended_at = NULL WHERE id = $1', [alice]);
    expect(suspended).toMatchObject(refused);
    await database.query('DELETE FROM oidc_grant WHERE account_id = $1', [alice]);
    expect(await exchange(refresh_token)).toMatchObject(refused);
  });

  it('is not shown by what others see: an ID token or an access token', async () => {
    const { id_token, access_token } = await signIn();
    for (const name of ['id_token', 'jwt', 'access_token', 'refresh_token']) {
      const subject_token_type = type(name);
      expect(await exchange(id_token, { subject_token_type })).toMatchObject(refused);
      expect(await exchange(access_token, { subject_token_type })).toMatchObject(refused);
    }
    const api = await signIn('hexabase-cli', { scope: 'openid api' });
    const client_id = 'hexabase-cli';
    const subject_token_type = type('access_token');
    expect(await exchange(api.access_token, { client_id, subject_token_type })).toMatchObject(
      refused,
    );
  });

  it('is its own client’s alone', async () => {
    const { refresh_token } = await signIn();
    for (const client_id of [there.clientId, 'hexabase-cli']) {
      expect(await exchange(refresh_token, { client_id })).toMatchObject(refused);
    }
    const machine = await createMachine(database, there.id);
    const asMachine = await exchange(refresh_token, { client_id: machine.clientId });
    expect(asMachine).toMatchObject(refused);
  });

  it('ends when its refresh token comes again long after it was used', async () => {
    const first = await signIn();
    const renewed = await refresh({
      ...clientOf(here.clientId),
      refreshToken: first.refresh_token,
    });
    await database.query(
      "UPDATE oidc_artifact SET consumed_at = now() - interval '1 minute' WHERE consumed_at IS NOT NULL AND model = 'RefreshToken'",
    );
    expect(await exchange(first.refresh_token)).toMatchObject(refused);
    expect(await exchange(renewed.refresh_token)).toMatchObject(refused);
  });
});
