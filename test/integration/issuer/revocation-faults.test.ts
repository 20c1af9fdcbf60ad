/** What a cluster does while the issuer can't be asked: everybody goes on by RBAC, a little later. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AUTHORIZATION_TIMEOUT_MS } from '#domain/authorization-configuration.ts';
import { type FaultyProxy, type ProxyMode, startFaultyProxy } from '../../support/faulty-proxy.ts';
import {
  type GuardedWorkspace,
  startGuardedWorkspace,
  statusOf,
} from '../../support/guarded-workspace.ts';
import { poll } from '../../support/poll.ts';

let stack: AsyncDisposableStack;
let proxy: FaultyProxy;
let guarded: GuardedWorkspace;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  guarded = stack.use(
    await startGuardedWorkspace({
      between: async ({ issuerUrl, ca }) => {
        proxy = stack.use(await startFaultyProxy({ url: issuerUrl, ca }));
        return { url: proxy.url, certificateAuthority: proxy.ca };
      },
    }),
  );
});
afterAll(() => stack.disposeAsync());
beforeEach(() => proxy.become('pass'));

const REQUESTS = 20;
let asked = 0;

/** Requests that no earlier answer covers, one after the other: how long each took, in milliseconds. */
const ask = async (token: string): Promise<{ status: number; took: number }[]> => {
  const client = guarded.cluster.withToken(token);
  const answers = [];
  for (let count = 0; count < REQUESTS; count += 1) {
    asked += 1;
    const began = performance.now();
    const status = await statusOf(client, `/api/v1/namespaces/no-such-${asked}`);
    answers.push({ status, took: performance.now() - began });
  }
  return answers;
};

describe('an issuer that', () => {
  it.each<[string, ProxyMode]>([
    ['says nothing at all', 'hang'],
    ['answers too late', 'late'],
    ['is behind a proxy that answers 503', 503],
    ['answers 404', 404],
  ])('%s blocks nobody, and costs about half a second at most', async (_name, mode) => {
    const { id_token } = await (await guarded.someone()).signIn();
    const before = await ask(id_token);
    proxy.become(mode);
    const during = await ask(id_token);
    // 404 is a yes of RBAC: nothing of that name is there.
    expect([...new Set([...before, ...during].map(({ status }) => status))]).toEqual([404]);
    // Of 20 requests the worst is the machine's: other tests run beside this one.
    const median = (answers: typeof before) =>
      answers.map(({ took }) => took).toSorted((a, b) => a - b)[REQUESTS / 2] ?? Number.NaN;
    const grown = median(during) - median(before);
    expect(grown).toBeLessThanOrEqual(AUTHORIZATION_TIMEOUT_MS + 100);
  });

  it.each<[string, ProxyMode]>([
    // kube-apiserver asks five times: what stands before the issuer should answer 503 (docs/operations.md).
    ['is behind a proxy that answers 500', 500],
    ['is behind a proxy that answers 502', 502],
    ['cuts the connection', 'cut'],
  ])('%s blocks nobody', async (_name, mode) => {
    const { id_token } = await (await guarded.someone()).signIn();
    proxy.become(mode);
    expect(await statusOf(guarded.cluster.withToken(id_token))).toBe(200);
  });

  it('is back is asked again: what was ended meanwhile is refused', async () => {
    const someone = await guarded.someone();
    const { id_token } = await someone.signIn();
    proxy.become(503);
    await guarded.database.query('DELETE FROM oidc_grant WHERE account_id = $1', [someone.id]);
    const client = guarded.cluster.withToken(id_token);
    expect(await statusOf(client)).toBe(200);
    proxy.become('pass');
    await poll('the refusal', async () => (await statusOf(client)) === 403);
  });
});
