import { Agent, request as httpsRequest } from 'node:https';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ATTACKER,
  type HostileRequest,
  hostileRequests,
  malformedRequests,
} from '../../support/corpora/hosts.ts';
import { listIssuerRoutes, type Route } from '../../support/corpora/issuer-routes.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startTestIssuer, type TestIssuer } from '../../support/issuer.ts';

const ROUTES = listIssuerRoutes();
/** Asked by kubelets at the pod's address; they show nothing that depends on the host. */
const FOR_ANY_HOST = new Set(['/livez', '/readyz', '/metrics']);

let database: TestDatabase;
let issuer: TestIssuer;
let agent: Agent;

beforeAll(async () => {
  database = await createTestDatabase();
  issuer = await startTestIssuer(database, [{ username: 'alice' }]);
  agent = new Agent({ keepAlive: true, maxSockets: 8 });
});
afterAll(async () => {
  agent.destroy();
  await issuer[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

type Answer = { status: number; head: string; body: string };

const ask = ({ method, path }: Route, { headers, prefix = '' }: HostileRequest) =>
  new Promise<Answer>((resolve, reject) => {
    const request = httpsRequest({
      agent,
      host: '127.0.0.1',
      port: new URL(issuer.issuerUrl).port,
      servername: 'localhost',
      ca: issuer.ca,
      method,
      path: `${prefix}${path}`,
      setHost: false,
      headers: [...headers],
    });
    request.on('error', reject).on('response', (response) => {
      response.toArray().then(
        (chunks) =>
          resolve({
            status: response.statusCode ?? 0,
            head: response.rawHeaders.join('\n'),
            body: Buffer.concat(chunks).toString(),
          }),
        reject,
      );
    });
    request.end();
  });

/** What is wrong with an answer, if anything. */
const findFault = (route: Route, request: HostileRequest, answer: Answer): string | undefined => {
  const { status, head, body } = answer;
  if (`${head}\n${body}`.toLowerCase().includes(ATTACKER)) return 'reflects the attacker';
  if (/^set-cookie\n[^\n]*domain=/im.test(head)) return 'sets a cookie for a domain';
  const location = /^location\n(.*)$/im.exec(head)?.[1];
  if (location && !location.startsWith('/') && !location.startsWith(`${issuer.issuerUrl}/`)) {
    return `leads to ${location}`;
  }
  for (const [address] of body.matchAll(/https?:\/\/[^\s"'<>]+/g)) {
    if (!isExpectedAddress(address)) return `names ${address}`;
  }
  if (status >= 500) return `answers ${status}`;
  if (request.outcome === 'refused' && !FOR_ANY_HOST.has(route.path)) {
    return status === 400 || status === 421 ? undefined : `answers ${status}`;
  }
  return undefined;
};

const isExpectedAddress = (address: string): boolean =>
  address === issuer.issuerUrl || address.startsWith(`${issuer.issuerUrl}/`);

describe('requests that lie about the host', () => {
  const corpus = () => hostileRequests(new URL(issuer.issuerUrl).host);

  it('are more than 200, on every route', () => {
    expect(corpus().length).toBeGreaterThan(200);
    expect(new Set(corpus().map(({ name }) => name)).size).toBe(corpus().length);
    const paths = ROUTES.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['/auth', '/token', '/jwks', '/device', '/me']));
    expect(paths.some((path) => /^\/interaction\/\w+\/confirm$/.test(path))).toBe(true);
  });

  it('cover every address that the metadata names', async () => {
    const route = { method: 'GET', path: '/.well-known/openid-configuration' };
    const headers = ['Host', new URL(issuer.issuerUrl).host];
    const { body } = await ask(route, { name: '', headers, outcome: 'unaffected' });
    const metadata: Record<string, unknown> = JSON.parse(body);
    const addresses = Object.entries(metadata).filter(([name]) => /_endpoint$|_uri$/.test(name));
    expect(addresses.length).toBeGreaterThan(5);
    for (const [, address] of addresses) {
      expect(ROUTES.map(({ path }) => path)).toContain(new URL(String(address)).pathname);
    }
  });

  it.each(ROUTES.map((route) => [`${route.method} ${route.path}`, route] as const))(
    'change nothing at %s',
    async (_name, route) => {
      const queue = [...corpus()];
      const faults: string[] = [];
      const work = async () => {
        for (let request = queue.pop(); request; request = queue.pop()) {
          const fault = findFault(route, request, await ask(route, request));
          if (fault) faults.push(`${request.name}: ${fault}`);
        }
      };
      await Promise.all(Array.from({ length: 8 }, work));
      expect(faults).toEqual([]);
    },
  );
});

describe('requests that no library would write', () => {
  const send = (text: string) =>
    new Promise<string>((resolve) => {
      const socket = connect({
        host: '127.0.0.1',
        port: Number(new URL(issuer.issuerUrl).port),
        servername: 'localhost',
        ca: issuer.ca,
      });
      let answer = '';
      const end = () => {
        socket.destroy();
        resolve(answer);
      };
      socket.setTimeout(3_000, end);
      socket.on('data', (chunk) => {
        answer += chunk.toString('latin1');
      });
      socket.on('error', end).on('end', end).on('close', end);
      socket.on('secureConnect', () => socket.write(text, 'latin1'));
    });

  it.each(['/.well-known/openid-configuration', '/auth', '/nowhere'])(
    'get nothing but a refusal at %s',
    async (path) => {
      const { host } = new URL(issuer.issuerUrl);
      for (const text of malformedRequests(host, path)) {
        const answer = await send(text);
        const line = text.slice(0, 90);
        expect([line, answer.toLowerCase().includes(ATTACKER)]).toEqual([line, false]);
        const statuses = [...answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => status);
        expect([line, statuses]).not.toEqual([line, expect.arrayContaining(['200'])]);
      }
    },
  );
});
