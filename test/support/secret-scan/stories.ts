/**
 * What people and programs do at an issuer and the API, well and badly: every way to sign in, to go on, to fail and
 * to put a secret where it doesn't belong. The scan of the logs comes after.
 */
import { randomBytes } from 'node:crypto';
import * as openid from 'openid-client';
import { Agent, fetch, type RequestInit } from 'undici';
import { expect } from 'vitest';
import { createPageVisitor } from '../../../quickstart/page-visitor.ts';
import type { Behaviour, HostileProvider } from '../hostile-provider.ts';
import { TEST_PASSWORD } from '../issuer.ts';
import {
  approveDevice,
  authorize,
  createOidcClient,
  goThroughPages,
  prepareRequest,
  redeem,
  redeemDevice,
  refresh,
  signInWithCode,
  startDevice,
} from '../oidc-client.ts';
import { createProbeKeys, type ProbeKeys, probeTokensOf } from '../probe-client.ts';
import { answerOf } from '../upstream.ts';
import { createWebClient } from '../web-client.ts';
import type { Recorder } from './recorder.ts';

/** Where it happens. The issuer has the account `alice`, the web client `console` and the connector `corp`. */
export type Stage = {
  /** Stands before the issuer. */
  readonly recorder: Recorder;
  readonly apiUrl: string;
  readonly provider: HostileProvider;
  /** Alice is a member of it. */
  readonly workspace: { readonly clientId: string };
  /** Of the client that probes clusters. */
  readonly probeKeys: ProbeKeys;
};

/** The secret of the web client. */
export const CLIENT_SECRET = randomBytes(32).toString('base64url');
/** Where the web client waits for answers; nobody goes there. */
export const CONSOLE_CALLBACK = 'https://console.example.test/callback';
/** A password that is nobody's. */
export const WRONG_PASSWORD = 'Tr0ub4dor&3 is another password';
/** Typed as a username. */
export const TYPED_INTO_THE_WRONG_FIELD = 'the password that someone took for a name';

/** Plays everything. @throws when something doesn't end as it should */
export const playStories = async (stage: Stage): Promise<void> => {
  await useCommandLine(stage);
  await useWorkspace(stage);
  await useDevice(stage);
  await useConsole(stage);
  await useProvider(stage);
  await useProbes(stage);
};

const as = ({ recorder }: Stage, clientId: string) => ({
  ...{ issuerUrl: recorder.url, ca: recorder.ca, clientId },
  ...{ username: 'alice', password: TEST_PASSWORD },
});

const ask = async ({ recorder }: Stage, path: string, init: RequestInit = {}) => {
  const agent = new Agent({ connect: { ca: recorder.ca } });
  const response = await fetch(`${recorder.url}${path}`, {
    redirect: 'manual',
    ...init,
    dispatcher: agent,
  });
  const text = await response.text();
  await agent.close();
  return { status: response.status, text };
};

type Form = { readonly form: Record<string, string>; readonly headers?: Record<string, string> };

const post = (stage: Stage, path: string, { form, headers = {} }: Form) =>
  ask(stage, path, { method: 'POST', body: new URLSearchParams(form), headers });

/** The command line: sign in, go on, come again with what is used up, and be refused. */
const useCommandLine = async (stage: Stage): Promise<void> => {
  const cli = { ...as(stage, 'hexabase-cli'), extraParams: { scope: 'openid offline_access api' } };
  const tokens = await signInWithCode(cli);
  const renewed = await refresh({ ...cli, refreshToken: tokens.refresh_token });
  const asCaller = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
  expect((await fetch(`${stage.apiUrl}/v1/me`, asCaller(renewed.access_token))).status).toBe(200);
  expect((await fetch(`${stage.apiUrl}/v1/me`, asCaller(renewed.id_token))).status).toBe(401);
  expect((await fetch(`${stage.apiUrl}/v1/me`, asCaller(renewed.refresh_token))).status).toBe(401);
  await fetch(`${stage.apiUrl}/v1/me?access_token=${renewed.access_token}`);
  await fetch(`${stage.apiUrl}/v1/${renewed.access_token}`);
  await ask(stage, `/me?access_token=${renewed.access_token}`);
  await ask(stage, '/me', asCaller(renewed.access_token));
  await ask(stage, '/me', asCaller(`${renewed.access_token}x`));
  await ask(stage, `/${renewed.id_token}`);
  const revocation = { token: renewed.refresh_token, client_id: 'hexabase-cli' };
  expect((await post(stage, '/token/revocation', { form: revocation })).status).toBe(200);
  await expect(refresh({ ...cli, refreshToken: renewed.refresh_token })).rejects.toThrow();
};

/** A workspace's client: sign-ins that fail, a code that comes twice or with another verifier. */
const useWorkspace = async (stage: Stage): Promise<void> => {
  const options = as(stage, stage.workspace.clientId);
  await using client = await createOidcClient(options);
  await using visitor = createPageVisitor(stage.recorder.ca);
  const request = await prepareRequest(client);
  let page = await visitor.open(request.url.href);
  for (const [username, password] of [
    ['alice', WRONG_PASSWORD],
    [TYPED_INTO_THE_WRONG_FIELD, WRONG_PASSWORD],
    ['nobody@example.test', TEST_PASSWORD],
  ] as const) {
    page = await visitor.submit(page, { having: 'password', fields: { username, password } });
    expect(page.status).toBe(401);
  }
  const answer = (await goThroughPages(visitor, page, options)).url;
  await redeem(client, request, answer);
  await expect(redeem(client, request, answer)).rejects.toThrow();
  const other = await prepareRequest(client);
  const second = await authorize({ ...options, visitor }, other.url);
  await expect(
    redeem(client, { ...other, verifier: openid.randomPKCECodeVerifier() }, second),
  ).rejects.toThrow();
  const tokens = await signInWithCode({ ...options, visitor });
  const hint = new URLSearchParams({ id_token_hint: tokens.id_token, state: 'x'.repeat(20) });
  const signOut = await visitor.open(`${stage.recorder.url}/session/end?${hint}`);
  await visitor.submit(signOut, { having: 'logout' });
  await ask(stage, `/session/end?id_token_hint=${tokens.id_token}x`);
  const cookies = { cookie: `__Host-hexabase-session=${randomBytes(20).toString('hex')}` };
  await ask(stage, request.url.pathname + request.url.search, { headers: cookies });
};

const useDevice = async (stage: Stage): Promise<void> => {
  await using client = await createOidcClient(as(stage, stage.workspace.clientId));
  await using visitor = createPageVisitor(stage.recorder.ca);
  const device = await startDevice(client);
  await expect(redeemDevice(client, device)).rejects.toThrow();
  await visitor.open(device.verification_uri_complete ?? '');
  const entry = await visitor.open(device.verification_uri);
  const wrong = await visitor.submit(entry, { fields: { user_code: 'BCDF-GHJK' } });
  expect(wrong.status).toBe(400);
  await approveDevice(visitor, device, as(stage, stage.workspace.clientId));
  await redeemDevice(client, device);
  const refused = await startDevice(client);
  const again = await visitor.open(refused.verification_uri);
  const check = await visitor.submit(again, { fields: { user_code: refused.user_code } });
  await visitor.submit(check, { having: 'abort' });
  await expect(redeemDevice(client, refused)).rejects.toThrow();
};

const useConsole = async (stage: Stage): Promise<void> => {
  const options = {
    issuer: as(stage, 'console'),
    ...{ clientId: 'console', redirectUri: CONSOLE_CALLBACK },
  };
  await using visitor = createPageVisitor(stage.recorder.ca);
  await using console = await createWebClient({
    ...options,
    auth: openid.ClientSecretBasic(CLIENT_SECRET),
  });
  const tokens = await console.signIn(visitor, as(stage, 'console'));
  await console.refresh(tokens.refresh_token ?? '');
  const wrong = Buffer.from(`console:${CLIENT_SECRET}x`).toString('base64');
  const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' };
  expect(
    (await post(stage, '/token', { form, headers: { authorization: `Basic ${wrong}` } })).status,
  ).toBe(401);
  const inBody = { ...form, client_id: 'console', client_secret: `${CLIENT_SECRET}x` };
  expect((await post(stage, '/token', { form: inBody })).status).toBe(401);
};

/** Signs in at the provider and goes as far as it goes; the callback comes twice. */
const signInAtProvider = async (stage: Stage) => {
  await using client = await createOidcClient(as(stage, 'hexabase-cli'));
  await using visitor = createPageVisitor(stage.recorder.ca);
  const request = await prepareRequest(client, {
    ...{ scope: 'openid offline_access api', connector_id: 'corp' },
  });
  const { url } = await visitor.open(request.url.href);
  const callback = await answerOf(stage.provider, url);
  const page = await visitor.open(callback.href);
  await visitor.open(callback.href);
  return await goThroughPages(visitor, page, as(stage, 'hexabase-cli'));
};

const useProvider = async (stage: Stage): Promise<void> => {
  expect((await signInAtProvider(stage)).url.searchParams.has('code')).toBe(true);
  for (const behaviour of [
    { claims: (claims: object) => ({ ...claims, nonce: 'another-nonce-than-ours' }) },
    { signature: 'foreign' },
    { token: (body: object) => ({ ...body, id_token: `${randomBytes(30).toString('hex')}.a.b` }) },
    {
      token: (body: object) => ({
        error: 'invalid_grant',
        error_description: JSON.stringify(body),
      }),
    },
    { token: (body: object) => [body] },
    { misanswers: { token: 'rubbish' } },
  ] as readonly Behaviour[]) {
    stage.provider.behave(behaviour);
    expect((await signInAtProvider(stage)).left).toBe(false);
  }
  stage.provider.behave({});
};

const useProbes = async (stage: Stage): Promise<void> => {
  await using tokens = probeTokensOf(as(stage, ''), stage.probeKeys);
  await tokens.request(stage.workspace.clientId);
  const stranger = await createProbeKeys();
  await using forged = probeTokensOf(as(stage, ''), stranger);
  await expect(forged.request(stage.workspace.clientId)).rejects.toThrow();
};
