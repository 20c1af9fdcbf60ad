/** What a cluster refuses once a sign-in has been ended, and what it goes on accepting: on a real one. */
import { Agent, fetch } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createId, formatId } from '#domain/identifiers.ts';
import { REVOKED_WITHIN_SECONDS } from '#domain/staleness.ts';
import { toAuthorizationPath, toAuthorizationToken } from '#runtime/authorization-token.ts';
import { purgeExpired } from '../../../issuer/storage/purge.ts';
import {
  type GuardedWorkspace,
  startGuardedWorkspace,
  statusOf,
} from '../../support/guarded-workspace.ts';
import { refresh } from '../../support/oidc-client.ts';
import { poll } from '../../support/poll.ts';

let guarded: GuardedWorkspace;
let agent: Agent;

beforeAll(async () => {
  guarded = await startGuardedWorkspace({ people: 16 });
  agent = new Agent({ connect: { ca: guarded.issuer.ca } });
}, 120_000);
afterAll(async () => {
  await agent.close();
  await guarded[Symbol.asyncDispose]();
});

const endGrantsOf = (personId: string) =>
  guarded.database.query('DELETE FROM oidc_grant WHERE account_id = $1', [personId]);

/** Resolves when the token is refused; how long that took, in milliseconds. */
const untilRefused = async (token: string): Promise<number> => {
  const began = performance.now();
  const client = guarded.cluster.withToken(token);
  await poll('the refusal', async () => (await statusOf(client)) === 403);
  return performance.now() - began;
};

describe('a grant that has ended', () => {
  it('has its tokens refused within ten seconds, and the person’s next sign-in accepted at once', async () => {
    const alice = await guarded.someone();
    const before = await alice.signIn();
    expect(await statusOf(guarded.cluster.withToken(before.id_token))).toBe(200);
    await endGrantsOf(alice.id);
    const after = await alice.signIn();
    expect(await untilRefused(before.id_token)).toBeLessThan(1000 * REVOKED_WITHIN_SECONDS);
    expect(await statusOf(guarded.cluster.withToken(after.id_token))).toBe(200);
    expect(await statusOf(guarded.cluster.withToken(before.id_token))).toBe(403);
  });

  it('has the tokens of earlier refreshes refused too, and takes no other person’s with it', async () => {
    const [alice, bob] = [await guarded.someone(), await guarded.someone()];
    const [first, other] = [await alice.signIn(), await bob.signIn()];
    const { issuerUrl, ca } = guarded.issuer;
    const client = { issuerUrl, ca, clientId: guarded.workspace.clientId };
    const second = await refresh({ ...client, refreshToken: first.refresh_token });
    expect(second.claims['grant']).toBe(first.claims['grant']);
    expect(other.claims['grant']).not.toBe(first.claims['grant']);
    await endGrantsOf(alice.id);
    await Promise.all([first, second].map(({ id_token }) => untilRefused(id_token)));
    expect(await statusOf(guarded.cluster.withToken(other.id_token))).toBe(200);
  });

  it('is remembered by the database however it ends: by the client, or with its person', async () => {
    const [alice, bob] = [await guarded.someone(), await guarded.someone()];
    const [a, b] = [await alice.signIn(), await bob.signIn()];
    const revoked = await fetch(`${guarded.issuer.issuerUrl}/token/revocation`, {
      method: 'POST',
      body: new URLSearchParams({ token: a.refresh_token, client_id: guarded.workspace.clientId }),
      dispatcher: agent,
    });
    expect(revoked.status).toBe(200);
    await guarded.database.query('DELETE FROM identity WHERE person_id = $1', [bob.id]);
    await guarded.database.query('DELETE FROM organization WHERE personal_for = $1', [bob.id]);
    await guarded.database.query('DELETE FROM person WHERE id = $1', [bob.id]);
    await Promise.all([a, b].map(({ id_token }) => untilRefused(id_token)));
  });

  it('says why, and what to do', async () => {
    const alice = await guarded.someone();
    const { id_token } = await alice.signIn();
    await endGrantsOf(alice.id);
    await untilRefused(id_token);
    await expect(guarded.cluster.withToken(id_token).request('/api/v1/namespaces')).rejects.toThrow(
      /ended: sign in again/,
    );
  });

  it('is forgotten once no token can be left', async () => {
    const rows = () => guarded.database.query('SELECT 1 FROM ended_grant');
    expect((await rows()).length).toBeGreaterThan(0);
    await purgeExpired(guarded.issuer.database);
    expect((await rows()).length).toBeGreaterThan(0);
    await guarded.database.query(`UPDATE ended_grant SET ended_at = now() - interval '20 minutes'`);
    await purgeExpired(guarded.issuer.database);
    expect(await rows()).toEqual([]);
  });
});

const ask = async (options: {
  readonly workspace?: string;
  readonly authorization?: string;
  readonly method?: string;
  readonly body?: string;
}) => {
  const { workspace = guarded.workspace.clientId } = options;
  const token = toAuthorizationToken(guarded.authorizationKey, guarded.workspace.clientId);
  const response = await fetch(guarded.issuer.issuerUrl + toAuthorizationPath(workspace), {
    method: options.method ?? 'POST',
    headers: { authorization: options.authorization ?? `Bearer ${token}` },
    ...(options.method !== 'GET' && { body: options.body ?? questionAbout('some grant') }),
    dispatcher: agent,
  });
  const answer = (await response.json().catch(() => undefined)) as
    | { status?: { allowed: boolean; denied?: boolean } }
    | undefined;
  return { status: response.status, answer, headers: response.headers };
};
const questionAbout = (grant: string) =>
  JSON.stringify({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user: 'hexabase:someone', extra: { 'kaas.hexabase.io/grant': [grant] } },
  });
const NO_OPINION = { allowed: false };

describe('the webhook', () => {
  it('has no opinion about whoever is still signed in, and never says yes', async () => {
    const { status, answer } = await ask({});
    expect([status, answer?.status]).toEqual([200, NO_OPINION]);
  });

  it.each([
    ['no token', { authorization: '' }],
    ['somebody’s idea of a token', { authorization: 'Bearer forged' }],
    ['a method that is not POST', { method: 'GET' }],
    ['a path that names no workspace', { workspace: 'ws_x' }],
  ])('refuses a caller with %s', async (_name, options) => {
    const { status, answer } = await ask(options);
    expect(status).toBe(401);
    expect(answer?.status).toBeUndefined();
  });

  it('refuses one workspace’s cluster that asks for another', async () => {
    const other = formatId('workspace', createId());
    expect((await ask({ workspace: other })).status).toBe(401);
  });

  it('tells one workspace’s cluster nothing of another’s grants', async () => {
    const alice = await guarded.someone();
    const { id_token, claims } = await alice.signIn();
    await endGrantsOf(alice.id);
    await untilRefused(id_token);
    const body = questionAbout(String(claims['grant']));
    expect((await ask({ body })).answer?.status).toMatchObject({ allowed: false, denied: true });
    const other = formatId('workspace', createId());
    const token = toAuthorizationToken(guarded.authorizationKey, other);
    const foreign = await ask({ workspace: other, body, authorization: `Bearer ${token}` });
    expect([foreign.status, foreign.answer?.status]).toEqual([200, NO_OPINION]);
  });

  it.each([
    ['is not JSON', '{'],
    ['is no question', '{"spec":1}'],
    ['is empty', ''],
    ['is too long', questionAbout('x'.repeat(2 << 20))],
  ])(
    'answers what %s with 200 and no opinion, and nothing that asks for a repetition',
    async (_name, body) => {
      const { status, answer, headers } = await ask({ body });
      expect([status, answer?.status]).toEqual([200, NO_OPINION]);
      expect(headers.get('retry-after')).toBeNull();
    },
  );

  it('goes on refusing, and never fails, while the database is away', async () => {
    const alice = await guarded.someone();
    const { id_token, claims } = await alice.signIn();
    await endGrantsOf(alice.id);
    await untilRefused(id_token);
    const own = 'ALTER TABLE ended_grant RENAME TO';
    await guarded.database.query(`${own} away`);
    try {
      const began = performance.now();
      const { status, answer } = await ask({ body: questionAbout(String(claims['grant'])) });
      expect([status, answer?.status?.denied]).toEqual([200, true]);
      expect(performance.now() - began).toBeLessThan(300);
    } finally {
      await guarded.database.query('ALTER TABLE away RENAME TO ended_grant');
    }
  });
});
