import { Agent, fetch } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostileRedirectUris } from '../../support/corpora/redirect-uris.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startTestIssuer, type TestIssuer } from '../../support/issuer.ts';
import { createPerson, createWorkspace, type TestWorkspace } from './tenancy-rows.ts';

const NATIVE_BASES = [
  'http://localhost:8000',
  'http://localhost',
  'http://127.0.0.1',
  'http://[::1]/',
];
/** RFC 8252 §7.3: any port, and nothing else that differs. Written apart from the code it tests. */
const LOOPBACK = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:[1-9]\d{0,4})?\/?$/;

const WEB_CLIENT = {
  client_id: 'console',
  client_name: 'Console',
  token_endpoint_auth_method: 'none' as const,
  redirect_uris: [
    'https://console.example.test/callback',
    'http://localhost:3000/callback',
    'http://127.0.0.1:3000/',
  ],
  post_logout_redirect_uris: ['https://console.example.test/', 'http://localhost:3000/signed-out'],
};

const isLoopback = (uri: string): boolean =>
  LOOPBACK.test(uri) && Number(/:(\d+)\/?$/.exec(uri)?.[1] ?? 80) <= 65_535;

let database: TestDatabase;
let issuer: TestIssuer;
let workspace: TestWorkspace;
let agent: Agent;

beforeAll(async () => {
  database = await createTestDatabase();
  issuer = await startTestIssuer(database, [{ username: 'alice' }], {
    clients: [WEB_CLIENT],
  });
  agent = new Agent({ connect: { ca: issuer.ca } });
  workspace = await createWorkspace(database);
  await workspace.addMember(await createPerson(database, 'alice'));
});
afterAll(async () => {
  await agent.close();
  await issuer[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

type Answer = { status: number; location: string | null; refresh: string | null; text: string };

const ask = async (path: string, parameters: Record<string, string>, method = 'GET') => {
  const query = new URLSearchParams(parameters);
  const url = new URL(path, issuer.issuerUrl);
  if (method === 'GET') url.search = query.toString();
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    dispatcher: agent,
    headers: { accept: 'text/html', origin: issuer.issuerUrl },
    ...(method === 'POST' && { body: query }),
  });
  return {
    status: response.status,
    location: response.headers.get('location'),
    refresh: response.headers.get('refresh'),
    text: await response.text(),
  } satisfies Answer;
};

const authorizationRequest = (redirectUri: string, clientId: string) => ({
  client_id: clientId,
  redirect_uri: redirectUri,
  response_type: 'code',
  scope: 'openid',
  state: 'the-state',
  code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  code_challenge_method: 'S256',
});

/** Runs them eight at a time and returns those that were not answered as they should. */
const findOffenders = async (
  uris: readonly string[],
  isRight: (uri: string) => Promise<boolean>,
): Promise<readonly string[]> => {
  const offenders: string[] = [];
  const queue = [...uris];
  const work = async () => {
    for (let uri = queue.pop(); uri !== undefined; uri = queue.pop()) {
      if (!(await isRight(uri))) offenders.push(uri);
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
  return offenders;
};

const isRefused = ({ status, location, refresh, text }: Answer): boolean =>
  status === 400 &&
  location === null &&
  refresh === null &&
  text.includes('The answer may not go there') &&
  !/<meta[^>]+refresh|<script/i.test(text);

describe('redirect addresses of a native client', () => {
  const hostile = hostileRedirectUris(NATIVE_BASES).filter((uri) => !isLoopback(uri));

  it('are a corpus of more than 500, each different', () => {
    expect(hostile.length).toBeGreaterThan(600);
    expect(new Set(hostile).size).toBe(hostile.length);
  });

  it.each([
    ['begin', (uri: string) => uri.startsWith('http://localhost')],
    ['end', (uri: string) => /localhost(:\d+)?\/?$/.test(uri)],
    ['have a host that begins', (uri: string) => URL.parse(uri)?.host.startsWith('localhost')],
    ['are parsed to that host', (uri: string) => URL.parse(uri)?.hostname === 'localhost'],
    ['are the same without case', (uri: string) => uri.toLowerCase() === 'http://localhost:8000'],
    ['are the same when parsed', (uri: string) => URL.parse(uri)?.href === 'http://localhost/'],
    ['have no @ before the host', (uri: string) => /^http:\/\/[^@/]*localhost/.test(uri)],
  ])('would mislead a check that they %s so', (_name, isAllowed) => {
    expect(hostile.filter(isAllowed)).not.toEqual([]);
  });

  it('are all refused on our own page, and nothing is sent there', async () => {
    const offenders = await findOffenders(hostile, async (uri) =>
      isRefused(await ask('/auth', authorizationRequest(uri, workspace.clientId))),
    );
    expect(offenders).toEqual([]);
  });

  it('are refused as well when something else is wrong, so that no error is sent there', async () => {
    const offenders = await findOffenders(hostile, async (uri) => {
      const { code_challenge: _, ...broken } = authorizationRequest(uri, workspace.clientId);
      return isRefused(
        await ask('/auth', { ...broken, scope: 'nonsense', response_type: 'token' }),
      );
    });
    expect(offenders).toEqual([]);
  });

  it.each(['1', '80', '8000', '65535'])(
    'but the port %s of this computer is free',
    async (port) => {
      for (const host of ['localhost', '127.0.0.1', '[::1]']) {
        for (const slash of ['', '/']) {
          const uri = `http://${host}:${port}${slash}`;
          const { status, location } = await ask(
            '/auth',
            authorizationRequest(uri, workspace.clientId),
          );
          expect([uri, status]).toEqual([uri, 303]);
          expect(location).toMatch(/^\/interaction\//);
        }
      }
    },
  );
});

describe('redirect addresses of a web client', () => {
  const hostile = hostileRedirectUris(WEB_CLIENT.redirect_uris);

  it('are a corpus of more than 500, each different', () => {
    expect(new Set(hostile).size).toBeGreaterThan(500);
  });

  it('are all refused on our own page: a port is part of the address here', async () => {
    const offenders = await findOffenders([...hostile, ...NATIVE_BASES], async (uri) =>
      isRefused(await ask('/auth', authorizationRequest(uri, WEB_CLIENT.client_id))),
    );
    expect(offenders).toEqual([]);
  });

  it.each(WEB_CLIENT.redirect_uris)('but %s is taken', async (uri) => {
    const { status, location } = await ask(
      '/auth',
      authorizationRequest(uri, WEB_CLIENT.client_id),
    );
    expect(status).toBe(303);
    expect(location).toMatch(/^\/interaction\//);
  });
});

describe('addresses to go to after signing out', () => {
  const hostile = hostileRedirectUris(NATIVE_BASES);

  it('are refused for a client that has none', async () => {
    const offenders = await findOffenders([...hostile, ...NATIVE_BASES], async (uri) => {
      const answer = await ask('/session/end', {
        client_id: workspace.clientId,
        post_logout_redirect_uri: uri,
      });
      return answer.status === 400 && answer.location === null && !answer.text.includes('<script');
    });
    expect(offenders).toEqual([]);
  });

  it('are refused for a client that has others', async () => {
    const corpus = hostileRedirectUris(WEB_CLIENT.post_logout_redirect_uris);
    expect(corpus.length).toBeGreaterThan(400);
    const offenders = await findOffenders([...corpus, ...WEB_CLIENT.redirect_uris], async (uri) => {
      const answer = await ask('/session/end', {
        client_id: WEB_CLIENT.client_id,
        post_logout_redirect_uri: uri,
      });
      return answer.status === 400 && answer.location === null && !answer.text.includes('<script');
    });
    expect(offenders).toEqual([]);
  });

  it('are ignored without a client', async () => {
    const offenders = await findOffenders(hostile.slice(0, 100), async (uri) => {
      const { status, location, text } = await ask('/session/end', {
        post_logout_redirect_uri: uri,
      });
      const ours = `${issuer.issuerUrl}/session/end/success`;
      return status === 303 && location === ours && !text.includes('evil.example');
    });
    expect(offenders).toEqual([]);
  });
});
