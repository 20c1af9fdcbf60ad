/**
 * Keys rotate under load: three replicas of the issuer, a real API server and the API's own verifier, and
 * tokens that come all the time, the new ones and those of before that are still valid. None is refused.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ID_TOKEN_SECONDS } from '#domain/staleness.ts';
import { createAccessTokenVerifier } from '../../../tenancy-api/access-token.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startTestIssuer, TEST_PASSWORD, type TestIssuer } from '../../support/issuer.ts';
import {
  connectTestCluster,
  createTestProvisionerFor,
  type TestCluster,
} from '../../support/kube.ts';
import { refresh, signInWithCode } from '../../support/oidc-client.ts';
import { poll } from '../../support/poll.ts';
import { createPerson, createWorkspace } from './tenancy-rows.ts';

// As short as a real API server allows, which reads the keys at most every half minute.
const POLICY = { rotateSeconds: 38, publishSeconds: 38, retainSeconds: ID_TOKEN_SECONDS + 15 };
const ROTATIONS = 3;
const DEADLINE_MS = 200_000;
const REVIEW = '/apis/authentication.k8s.io/v1/selfsubjectreviews';

let stack: AsyncDisposableStack;
let database: TestDatabase;
let issuer: TestIssuer;
let cluster: TestCluster;
let clientId: string;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  database = stack.use(await createTestDatabase());
  issuer = stack.use(
    await startTestIssuer(database, [{ username: 'alice' }], { replicas: 3, policy: POLICY }),
  );
  const workspace = await createWorkspace(database);
  clientId = workspace.clientId;
  await workspace.addMember(
    await createPerson(database, 'alice'),
    await workspace.addGroup('devs'),
  );
  const planes = stack.use(
    await createTestProvisionerFor({ url: issuer.issuerUrl, certificateAuthority: issuer.ca }),
  );
  cluster = stack.use(await connectTestCluster(planes, workspace.id));
});
afterAll(() => stack.disposeAsync());

const signIn = (client: string, extraParams: Record<string, string> = {}) =>
  signInWithCode({
    issuerUrl: issuer.issuerUrl,
    ca: issuer.ca,
    clientId: client,
    username: 'alice',
    password: TEST_PASSWORD,
    extraParams,
  });

/** A token that was given, and until when every verifier has to take it. */
type Given = { readonly token: string; readonly until: number };

const showTo = async (given: Given, verify: (token: string) => Promise<unknown>) => {
  try {
    await verify(given.token);
  } catch (error) {
    if (Date.now() < given.until) throw error;
  }
};

const reviewBy = async (token: string): Promise<void> => {
  await using client = cluster.withToken(token);
  await client.request(REVIEW, {
    method: 'POST',
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
  });
};

/** Gets tokens again and again, and shows each of them, and one of before, until enough keys have signed. */
const keepAsking = async (options: {
  readonly clientId: string;
  readonly refreshToken: string;
  readonly choose: (tokens: Awaited<ReturnType<typeof refresh>>) => string;
  readonly verify: (token: string) => Promise<unknown>;
  readonly lifeSeconds: number;
}) => {
  const { issuerUrl, ca } = issuer;
  const kids = new Set<string>();
  const given: Given[] = [];
  const refusals: string[] = [];
  const deadline = Date.now() + DEADLINE_MS;
  let { refreshToken } = options;
  while (kids.size <= ROTATIONS && Date.now() < deadline) {
    const tokens = await refresh({ issuerUrl, ca, clientId: options.clientId, refreshToken });
    refreshToken = tokens.refresh_token;
    const token = options.choose(tokens);
    const { kid = '' } = decodeProtectedHeader(token);
    kids.add(kid);
    given.push({ token, until: Date.now() + options.lifeSeconds * 1_000 });
    const valid = given.filter(({ until }) => Date.now() < until);
    const before = valid[Math.floor(Math.random() * valid.length)];
    for (const each of [given.at(-1), valid[0], before]) {
      if (!each) continue;
      await showTo(each, options.verify).catch((error: unknown) => refusals.push(String(error)));
    }
    await delay(250);
  }
  return { kids: [...kids], shown: given.length, refusals };
};

describe('keys that rotate', () => {
  it(`refuse nobody, with three replicas, over ${ROTATIONS} rotations`, async () => {
    const person = await signIn(clientId);
    const command = await signIn('hexabase-cli', { scope: 'openid api' });
    await poll('the API server to know the issuer', async () => {
      await reviewBy(person.id_token);
      return true;
    });
    await using verifier = createAccessTokenVerifier({
      issuer: { url: issuer.issuerUrl, certificateAuthority: issuer.ca },
      audience: issuer.apiAudience,
    });
    const [byCluster, byApi] = await Promise.all([
      keepAsking({
        clientId,
        refreshToken: person.refresh_token,
        choose: ({ id_token }) => id_token,
        verify: reviewBy,
        lifeSeconds: ID_TOKEN_SECONDS - 10,
      }),
      keepAsking({
        clientId: 'hexabase-cli',
        refreshToken: command.refresh_token,
        choose: ({ access_token }) => access_token,
        verify: verifier.verify,
        lifeSeconds: ID_TOKEN_SECONDS - 10,
      }),
    ]);
    for (const { kids, shown, refusals } of [byCluster, byApi]) {
      expect(refusals).toEqual([]);
      expect(kids).toHaveLength(ROTATIONS + 1);
      expect(shown).toBeGreaterThan(50);
    }
  }, 280_000);
});
