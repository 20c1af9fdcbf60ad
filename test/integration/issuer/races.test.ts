import * as openid from 'openid-client';
import { Agent, fetch } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPageVisitor } from '../../../quickstart/page-visitor.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startTestIssuer, TEST_PASSWORD, type TestIssuer } from '../../support/issuer.ts';
import {
  approveDevice,
  authorize,
  createOidcClient,
  prepareRequest,
  refresh,
  signInWithCode,
  startDevice,
} from '../../support/oidc-client.ts';
import { createPerson, createWorkspace, type TestWorkspace } from './tenancy-rows.ts';

const PARALLEL = 64;

let database: TestDatabase;
let issuer: TestIssuer;
let workspace: TestWorkspace;
let alice: string;
let agent: Agent;

beforeAll(async () => {
  database = await createTestDatabase();
  issuer = await startTestIssuer(database, [{ username: 'alice' }]);
  agent = new Agent({ connect: { ca: issuer.ca } });
  workspace = await createWorkspace(database);
  alice = await createPerson(database, 'alice');
  await workspace.addMember(alice, await workspace.addGroup('team'));
});
afterAll(async () => {
  await agent.close();
  await issuer[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const as = () => ({
  issuerUrl: issuer.issuerUrl,
  ca: issuer.ca,
  clientId: workspace.clientId,
  username: 'alice',
  password: TEST_PASSWORD,
});

type TokenAnswer = { status: number; error?: string; refresh_token?: string; id_token?: string };

const requestToken = async (fields: Record<string, string>): Promise<TokenAnswer> => {
  const response = await fetch(`${issuer.issuerUrl}/token`, {
    method: 'POST',
    body: new URLSearchParams({ client_id: workspace.clientId, ...fields }),
    dispatcher: agent,
  });
  return { status: response.status, ...((await response.json()) as object) };
};

const atOnce = <T>(action: () => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: PARALLEL }, action));

const getCode = async (): Promise<Record<string, string>> => {
  await using client = await createOidcClient(as());
  const request = await prepareRequest(client);
  const answer = await authorize(as(), request.url);
  return {
    grant_type: 'authorization_code',
    code: answer.searchParams.get('code') ?? '',
    code_verifier: request.verifier,
    redirect_uri: 'http://localhost:8000',
  };
};

/** Moves a consumption into the past, beyond the grace time. */
const endGrace = (model: string) =>
  database.query(
    "UPDATE oidc_artifact SET consumed_at = consumed_at - interval '11 s' WHERE model = $1",
    [model],
  );

const countRefreshTokens = async (): Promise<number> => {
  const [row] = await database.query<{ count: string }>(
    "SELECT count(*) FROM oidc_artifact WHERE model = 'RefreshToken'",
  );
  return Number(row?.count);
};

describe('an authorization code', () => {
  it('is redeemed once, however many redeem it at once', async () => {
    const code = await getCode();
    const answers = await atOnce(() => requestToken(code));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ error }) => error === 'invalid_grant')).toHaveLength(PARALLEL - 1);
  });

  it.each([
    ['at once', async () => {}],
    ['after a while', async () => void (await endGrace('AuthorizationCode'))],
  ])('ends the whole grant when it comes again %s', async (_name, wait) => {
    const code = await getCode();
    const { refresh_token = '' } = await requestToken(code);
    await wait();
    expect(await requestToken(code)).toMatchObject({ status: 400, error: 'invalid_grant' });
    expect(await requestToken({ grant_type: 'refresh_token', refresh_token })).toMatchObject({
      status: 400,
      error: 'invalid_grant',
    });
  });

  it('is worthless without its verifier, with another one, or for another client', async () => {
    const code = await getCode();
    const { code_verifier: _, ...bare } = code;
    expect((await requestToken(bare)).status).toBe(400);
    const other = openid.randomPKCECodeVerifier();
    expect((await requestToken({ ...code, code_verifier: other })).status).toBe(400);
    expect((await requestToken({ ...code, client_id: 'hexabase-cli' })).status).toBe(400);
    expect((await requestToken(code)).status).toBe(200);
  });
});

describe('a device code', () => {
  it('is redeemed once, however many redeem it at once', async () => {
    await using client = await createOidcClient(as());
    await using visitor = createPageVisitor(issuer.ca);
    const device = await startDevice(client);
    await approveDevice(visitor, device, as());
    const answers = await atOnce(() =>
      requestToken({
        grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
        device_code: device.device_code,
      }),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });
});

describe('a refresh token', () => {
  const use = (refresh_token: string) =>
    requestToken({ grant_type: 'refresh_token', refresh_token });

  it('has one successor, which all who use it at once get', async () => {
    const { refresh_token } = await signInWithCode(as());
    const before = await countRefreshTokens();
    const answers = await atOnce(() => use(refresh_token));
    expect(answers.map(({ status }) => status)).toEqual(Array(PARALLEL).fill(200));
    expect(new Set(answers.map((answer) => answer.refresh_token)).size).toBe(1);
    expect(answers.every(({ id_token }) => id_token)).toBe(true);
    expect(await countRefreshTokens()).toBe(before + 1);
    expect(answers[0]?.refresh_token).not.toBe(refresh_token);
  });

  it('gives the same successor again to someone who lost the answer', async () => {
    const { refresh_token } = await signInWithCode(as());
    const first = await use(refresh_token);
    const second = await use(refresh_token);
    expect(second).toMatchObject({ status: 200, refresh_token: first.refresh_token });
    expect((await use(first.refresh_token ?? '')).status).toBe(200);
  });

  it('ends the family when it comes again later', async () => {
    const { refresh_token } = await signInWithCode(as());
    const { refresh_token: successor = '' } = await use(refresh_token);
    await endGrace('RefreshToken');
    expect(await use(refresh_token)).toMatchObject({ status: 400, error: 'invalid_grant' });
    expect(await use(successor)).toMatchObject({ status: 400, error: 'invalid_grant' });
    const [row] = await database.query(
      "SELECT FROM oidc_artifact WHERE model = 'RefreshToken' AND consumed_at IS NULL AND created_at > now() - interval '1 s' AND grant_id_hash NOT IN (SELECT id_hash FROM oidc_grant)",
    );
    expect(row).toBeUndefined();
  });

  it('leaves other sign-ins of the same person alone', async () => {
    const stolen = await signInWithCode(as());
    const other = await signInWithCode(as());
    await use(stolen.refresh_token);
    await endGrace('RefreshToken');
    expect((await use(stolen.refresh_token)).status).toBe(400);
    const renewed = await refresh({ ...as(), refreshToken: other.refresh_token });
    expect(renewed.claims['groups']).toEqual(['team']);
  });

  it('can be revoked, with everything of its grant (RFC 7009)', async () => {
    const { refresh_token } = await signInWithCode(as());
    const response = await fetch(`${issuer.issuerUrl}/token/revocation`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: workspace.clientId, token: refresh_token }),
      dispatcher: agent,
    });
    expect(response.status).toBe(200);
    expect(await use(refresh_token)).toMatchObject({ status: 400, error: 'invalid_grant' });
  });

  it('gives nothing that outlives a revocation which comes in between', async () => {
    for (let round = 0; round < 8; round += 1) {
      const { refresh_token } = await signInWithCode(as());
      const [grant] = await database.query<{ id_hash: Buffer }>(
        'SELECT id_hash FROM oidc_grant ORDER BY created_at DESC LIMIT 1',
      );
      const answers = Promise.all(Array.from({ length: 8 }, () => use(refresh_token)));
      await database.query('DELETE FROM oidc_grant WHERE id_hash = $1', [grant?.id_hash]);
      for (const { status, error, refresh_token: successor } of await answers) {
        if (status !== 200) expect(error).toBe('invalid_grant');
        else expect((await use(successor ?? '')).error).toBe('invalid_grant');
      }
    }
  });
});
