import { Agent, request as httpsRequest } from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listIssuerRoutes, PARAMETER_VALUE } from '../../support/corpora/issuer-routes.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startTestIssuer, type TestIssuer } from '../../support/issuer.ts';

let database: TestDatabase;
let issuer: TestIssuer;
let agent: Agent;

beforeAll(async () => {
  database = await createTestDatabase();
  issuer = await startTestIssuer(database, [{ username: 'alice' }]);
  agent = new Agent({ keepAlive: true, maxSockets: 4 });
});
afterAll(async () => {
  agent.destroy();
  await issuer[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

/** As undici would normalize the path, it is asked with `node:https`. */
const ask = (method: string, path: string) =>
  new Promise<{ status: number; cacheControl: string | undefined }>((resolve, reject) => {
    const url = new URL(issuer.issuerUrl);
    const request = httpsRequest({
      agent,
      host: 'localhost',
      port: url.port,
      ca: issuer.ca,
      method,
      path,
      headers: { origin: issuer.issuerUrl },
    });
    request.on('error', reject).on('response', (response) => {
      const cacheControl = response.headers['cache-control'];
      response.on('end', () => resolve({ status: response.statusCode ?? 0, cacheControl }));
      response.resume();
    });
    request.end();
  });

const capitalize = (path: string) => path.replace(/[a-z]/, (letter) => letter.toUpperCase());
const encodeFirst = (path: string) =>
  path.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`);

const TRICKS: readonly (readonly [name: string, (path: string) => string])[] = [
  ['two slashes before', (path) => `/${path}`],
  ['three slashes before', (path) => `//${path}`],
  ['two slashes within', (path) => path.replace(/(.)\//, '$1//')],
  ['a slash behind', (path) => `${path}/`],
  ['two slashes behind', (path) => `${path}//`],
  ['a dot segment before', (path) => `/.${path}`],
  ['a parent segment before', (path) => `/x/..${path}`],
  ['an encoded parent segment before', (path) => `/x/%2e%2e${path}`],
  ['a parameter before', (path) => `/..;${path}`],
  ['a dot segment behind', (path) => `${path}/.`],
  ['a parent segment behind', (path) => `${path}/x/..`],
  ['a parameter behind', (path) => `${path};x=1`],
  ['an empty parameter', (path) => `${path};`],
  ['an encoded slash behind', (path) => `${path}%2f`],
  ['an encoded slash within', (path) => path.replace(/(.)\//, '$1%2f')],
  ['an encoded backslash', (path) => `${path}%5c`],
  ['a backslash', (path) => `${path}\\`],
  ['an encoded NUL', (path) => `${path}%00`],
  ['an encoded space', (path) => `${path}%20`],
  ['an encoded newline', (path) => `${path}%0a`],
  ['an encoded question mark', (path) => `${path}%3f`],
  ['an encoded hash', (path) => `${path}%23`],
  ['an encoded letter', encodeFirst],
  ['a doubly encoded letter', (path) => encodeFirst(path).replace('%', '%25')],
  ['a broken encoding', (path) => `${path}%`],
  ['invalid UTF-8', (path) => `${path}%ff`],
  ['capitals', (path) => path.toUpperCase()],
  ['a capital', capitalize],
  ['an extension', (path) => `${path}.json`],
  ['an asterisk', (path) => `${path}*`],
];

describe('another spelling of an address', () => {
  it.each(listIssuerRoutes().map((route) => [`${route.method} ${route.path}`, route] as const))(
    'of %s is nowhere, or is refused in the same way',
    async (_name, { method, path }) => {
      const plain = await ask(method, path);
      for (const [name, trick] of TRICKS) {
        const spelled = trick(path);
        if (spelled === path || path === '/') continue;
        const { status } = await ask(method, spelled);
        const isOtherValue = spelled.startsWith(path) && path.endsWith(PARAMETER_VALUE);
        const isSame = status === plain.status && (status >= 400 || isOtherValue);
        const isNowhere = status === 404 || status === 400;
        expect([name, spelled, status, isNowhere || isSame]).toEqual([name, spelled, status, true]);
      }
    },
  );
});

describe('a browser without a session', () => {
  it.each(['/device/AbCdEfGhIjKlMnOpQrStU', '/auth/AbCdEfGhIjKlMnOpQrStU'])(
    'is told at %s that the sign-in has ended',
    async (path) => {
      const { status, cacheControl } = await ask('GET', path);
      expect(status).toBe(400);
      expect(cacheControl).toContain('no-store');
    },
  );
});
