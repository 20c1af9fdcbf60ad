import { Agent, request as httpsRequest } from 'node:https';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPageVisitor, type PageVisitor } from '../../../quickstart/page-visitor.ts';
import { contentType, tampered, toQuery } from '../../support/corpora/parameters.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startTestIssuer, TEST_PASSWORD, type TestIssuer } from '../../support/issuer.ts';
import { createOidcClient, prepareRequest, signInWithCode } from '../../support/oidc-client.ts';
import { createPerson, createWorkspace, type TestWorkspace } from './tenancy-rows.ts';

const RUNS = { numRuns: 250 };
const REDIRECT_URI = 'http://localhost:8000';
const DEVICE_CODE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

let database: TestDatabase;
let issuer: TestIssuer;
let workspace: TestWorkspace;
let agent: Agent;
let signedIn: PageVisitor;

beforeAll(async () => {
  database = await createTestDatabase();
  issuer = await startTestIssuer(database, [{ username: 'alice' }]);
  workspace = await createWorkspace(database);
  await workspace.addMember(await createPerson(database, 'alice'));
  agent = new Agent({ keepAlive: true, maxSockets: 4 });
  signedIn = createPageVisitor(issuer.ca);
  await signInWithCode({ ...client(), visitor: signedIn });
});
afterAll(async () => {
  agent.destroy();
  await signedIn[Symbol.asyncDispose]();
  await issuer[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const client = () => ({
  issuerUrl: issuer.issuerUrl,
  ca: issuer.ca,
  clientId: workspace.clientId,
  username: 'alice',
  password: TEST_PASSWORD,
});

type Sent = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string | Buffer;
};
type Answer = { readonly status: number; readonly location: string; readonly body: string };

/** Over `node:https`, which leaves the query as it is. */
const ask = (path: string, { method = 'GET', headers = {}, body }: Sent = {}) =>
  new Promise<Answer>((resolve, reject) => {
    const given = Object.entries({ origin: issuer.issuerUrl, ...headers }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    const request = httpsRequest(new URL(issuer.issuerUrl), {
      ...{ agent, ca: issuer.ca, method, path },
      headers: Object.fromEntries(given),
    });
    request.on('error', reject).on('response', (response) => {
      response.toArray().then((chunks) => {
        const location = response.headers.location ?? '';
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, location, body: text });
      }, reject);
    });
    request.end(body);
  });

const post = (path: string, body: string, type: string | undefined, cookie?: string) =>
  ask(path, { method: 'POST', headers: { 'content-type': type, cookie }, body });

const TOKEN = /eyJ[\w-]{10,}\.[\w-]{10,}\.|"(access|refresh|id)_token":/;

/** No failure of ours, nothing that opens a door, and nobody is sent to where the client didn't say. */
const expectHarmless = ({ status, location, body }: Answer): void => {
  expect(status).toBeGreaterThanOrEqual(200);
  expect(status).toBeLessThan(500);
  expect(`${location}\n${body}`).not.toMatch(TOKEN);
  if (location !== '') {
    // A 307 would send a form's content on.
    expect(status).toBe(303);
    const url = new URL(location, issuer.issuerUrl);
    const { code } = Object.fromEntries([...url.searchParams, ...new URLSearchParams(url.hash)]);
    expect(code).toBeUndefined();
    expect([issuer.issuerUrl, REDIRECT_URI]).toContain(url.origin);
    if (url.origin === REDIRECT_URI) expect(location).toMatch(/[?#&]error=/);
  }
  for (const [, action = ''] of body.matchAll(/<form[^>]*action="([^"]*)"/g)) {
    const { origin } = new URL(action, issuer.issuerUrl);
    expect([issuer.issuerUrl, REDIRECT_URI]).toContain(origin);
  }
  expect(body).not.toMatch(/name="code"/);
};

const authorizationRequest = () => ({
  client_id: workspace.clientId,
  redirect_uri: REDIRECT_URI,
  response_type: 'code',
  scope: 'openid',
  state: 'a-state',
  nonce: 'a-nonce',
  code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  code_challenge_method: 'S256',
});

const AUTHORIZATION_PARAMETERS = [
  ...['prompt', 'max_age', 'claims', 'response_mode', 'resource', 'request', 'request_uri'],
  ...['login_hint', 'ui_locales', 'connector_id', 'id_token_hint', 'acr_values', 'display'],
  ...['audience', 'registration', 'claims_locales', 'authorization_details', 'dpop_jkt', 'iss'],
  ...['access_type', 'web_message_uri', 'user_code', 'token', '__proto__', 'constructor'],
];

describe('authorization requests that were tampered with', () => {
  it('fail without harm, or are asked about', async () => {
    const request = tampered(authorizationRequest(), AUTHORIZATION_PARAMETERS);
    const ends = new Set<string>();
    await fc.assert(
      fc.asyncProperty(request, async (parameters) => {
        const answer = await ask(`/auth?${toQuery(parameters)}`);
        expectHarmless(answer);
        ends.add(
          `${answer.status} ${/^(\/interaction|http:\/\/localhost)|/.exec(answer.location)?.[0]}`,
        );
      }),
      RUNS,
    );
    // It gets far enough to be asked, to be told off at the client, and on our own page.
    expect([...ends]).toEqual(
      expect.arrayContaining(['303 /interaction', '303 http://localhost', '400 ']),
    );
  });

  it('give nothing to someone who is signed in and has confirmed nothing', async () => {
    const cookie = await signedIn.cookies.getCookieString(issuer.issuerUrl);
    expect(cookie).toContain('session=');
    const prompt = fc.constantFrom('none', 'none', 'consent', 'login', 'none consent');
    const request = prompt.chain((value) =>
      tampered({ ...authorizationRequest(), prompt: value }, AUTHORIZATION_PARAMETERS),
    );
    await fc.assert(
      fc.asyncProperty(request, async (parameters) => {
        expectHarmless(await ask(`/auth?${toQuery(parameters)}`, { headers: { cookie } }));
      }),
      RUNS,
    );
  });

  it('are no forms', async () => {
    const request = tampered(authorizationRequest(), AUTHORIZATION_PARAMETERS);
    await fc.assert(
      fc.asyncProperty(request, contentType, async (parameters, type) => {
        const answer = await post('/auth', toQuery(parameters), type);
        expectHarmless(answer);
        expect(answer.status).toBeGreaterThanOrEqual(400);
      }),
      { numRuns: 50 },
    );
  });
});

describe('requests of clients that were tampered with', () => {
  const SECRET = 'kzdT4MbNGmPgYNq-ihuCTMrBQ5vcbe-9-HcMFI7Y8Uo';
  const grants = () => ({
    code: {
      ...{ grant_type: 'authorization_code', code: SECRET, code_verifier: SECRET },
      ...{ client_id: workspace.clientId, redirect_uri: REDIRECT_URI },
    },
    refresh: {
      ...{ grant_type: 'refresh_token', refresh_token: SECRET, scope: 'openid' },
      ...{ client_id: workspace.clientId },
    },
    device: {
      ...{ grant_type: DEVICE_CODE_GRANT, device_code: SECRET, client_id: workspace.clientId },
    },
    exchange: {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      ...{ client_id: workspace.clientId, subject_token: SECRET },
    },
    password: {
      ...{ grant_type: 'password', username: 'alice', password: TEST_PASSWORD },
      ...{ client_id: workspace.clientId, scope: 'openid' },
    },
  });
  const OTHERS = [
    ...['client_secret', 'client_assertion', 'client_assertion_type', 'resource', 'audience'],
    ...['scope', 'username', 'assertion', 'code_challenge', 'requested_token_type', '__proto__'],
  ];

  it.each(['code', 'refresh', 'device', 'exchange', 'password'] as const)(
    'get no token: grant of %s',
    async (grant) => {
      const request = tampered(grants()[grant], OTHERS);
      await fc.assert(
        fc.asyncProperty(request, contentType, async (parameters, type) => {
          const answer = await post('/token', toQuery(parameters), type);
          expectHarmless(answer);
          expect(answer.status).toBeGreaterThanOrEqual(400);
          expect(answer.location).toBe('');
        }),
        { numRuns: 100 },
      );
    },
  );

  it('get a device code at most, and no token with it', async () => {
    const valid = { client_id: workspace.clientId, scope: 'openid' };
    const request = tampered(valid, [...AUTHORIZATION_PARAMETERS, ...OTHERS]);
    await fc.assert(
      fc.asyncProperty(request, contentType, async (parameters, type) => {
        const answer = await post('/device/auth', toQuery(parameters), type);
        expectHarmless(answer);
        if (answer.status !== 200) return;
        const { device_code } = JSON.parse(answer.body) as { device_code: string };
        const form = { grant_type: DEVICE_CODE_GRANT, device_code, client_id: workspace.clientId };
        const poll = await post('/token', `${new URLSearchParams(form)}`, FORM);
        expect(poll.status).toBe(400);
        expect(poll.body).toMatch(/authorization_pending|invalid_grant|invalid_client|slow_down/);
      }),
      { numRuns: 100 },
    );
  });

  it.each(['/token/revocation', '/me', '/session/end', '/session/end/confirm', '/device'])(
    'fail without harm at %s',
    async (path) => {
      const valid = { client_id: workspace.clientId, token: SECRET, token_type_hint: 'x' };
      const request = tampered({ ...valid, xsrf: SECRET, user_code: 'BCDF-GHJK' }, [
        ...['id_token_hint', 'post_logout_redirect_uri', 'state', 'logout', 'confirm', 'abort'],
        ...['access_token', 'logout_hint', 'ui_locales', '__proto__'],
      ]);
      const cookie = await signedIn.cookies.getCookieString(issuer.issuerUrl);
      const cookies = fc.constantFrom(undefined, cookie);
      await fc.assert(
        fc.asyncProperty(request, contentType, cookies, async (parameters, type, sent) => {
          expectHarmless(await post(path, toQuery(parameters), type, sent));
          const headers = { cookie: sent };
          expectHarmless(await ask(`${path}?${toQuery(parameters)}`, { headers }));
        }),
        { numRuns: 60 },
      );
    },
  );
});

const FORM = 'application/x-www-form-urlencoded';

describe('bodies', () => {
  it.each([
    ['a megabyte', `client_id=${'a'.repeat(1_048_576)}`],
    ['a hundred thousand parameters', 'a=1&'.repeat(100_000)],
    ['deep brackets', `a${'[b]'.repeat(10_000)}=1`],
    ['a long name', `${'a'.repeat(100_000)}=1`],
    ['only separators', '&'.repeat(50_000)],
    ['only percent signs', '%'.repeat(50_000)],
    ['bytes that are no UTF-8', Buffer.from(Array.from({ length: 4_096 }, (_, i) => i % 256))],
    ['nothing', ''],
  ])('of %s are refused at every form', async (_name, body) => {
    for (const path of ['/token', '/token/revocation', '/device/auth', '/device', '/locale']) {
      const headers = { 'content-type': FORM };
      const answer = await ask(path, { method: 'POST', headers, body });
      expectHarmless(answer);
      expect([path, answer.status >= 400]).toEqual([path, true]);
    }
  });
});

describe('forms of a sign-in that were tampered with', () => {
  it('sign nobody in', async () => {
    await using visitor = createPageVisitor(issuer.ca);
    await using oidc = await createOidcClient(client());
    const start = await visitor.open((await prepareRequest(oidc)).url.href);
    const cookie = await visitor.cookies.getCookieString(start.url.href);
    const request = tampered({ username: 'alice', password: 'wrong' }, ['uid', 'connector', 'x']);
    const action = fc.constantFrom('/sign-in/local', '/sign-in/LOCAL', '/sign-in/x', '/confirm');
    await fc.assert(
      fc.asyncProperty(request, action, contentType, async (parameters, end, type) => {
        const answer = await post(`${start.url.pathname}${end}`, toQuery(parameters), type, cookie);
        expectHarmless(answer);
        expect(answer.location).toBe('');
        expect(answer.status).toBeGreaterThanOrEqual(400);
      }),
      { numRuns: 60 },
    );
  });
});
