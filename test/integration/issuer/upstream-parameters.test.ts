import { Agent, request as httpsRequest } from 'node:https';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tampered, toQuery } from '../../support/corpora/parameters.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type HostileProvider, startHostileProvider } from '../../support/hostile-provider.ts';
import {
  answerOf,
  oidcConnector,
  startUpstreamIssuer,
  type UpstreamIssuer,
} from '../../support/upstream.ts';

let database: TestDatabase;
let provider: HostileProvider;
let issuer: UpstreamIssuer;
let agent: Agent;

beforeAll(async () => {
  database = await createTestDatabase();
  provider = await startHostileProvider();
  issuer = await startUpstreamIssuer(database, { acme: oidcConnector(provider) });
  agent = new Agent({ keepAlive: true, maxSockets: 4 });
});
afterAll(async () => {
  agent?.destroy();
  for (const each of [issuer, provider, database]) await each?.[Symbol.asyncDispose]();
});

const ask = (path: string, cookie = '') =>
  new Promise<{ status: number; location: string }>((resolve, reject) => {
    const request = httpsRequest(new URL(issuer.issuerUrl), {
      ...{ agent, ca: issuer.ca, path },
      headers: cookie === '' ? {} : { cookie },
    });
    request.on('error', reject).on('response', (response) => {
      response.resume().on('end', () => {
        resolve({ status: response.statusCode ?? 0, location: response.headers.location ?? '' });
      });
    });
    request.end();
  });

const OTHERS = ['error', 'error_description', 'id_token', 'response', 'uid', 'connector', 'x'];

describe('answers of a provider that were tampered with', () => {
  it('are sent on to our own pages or nowhere', async () => {
    const uid = 'AbCdEfGhIjKlMnOpQrStU';
    const state = fc.constantFrom(
      `interaction~${uid}~${'r'.repeat(43)}`,
      `account~${uid}~${'r'.repeat(43)}`,
      ...['interaction', 'interaction~', '~~', `~${uid}~r`, `other~${uid}~${'r'.repeat(43)}`],
      `interaction~../../evil~${'r'.repeat(43)}`,
      `interaction~//evil.example~${'r'.repeat(43)}`,
      `interaction~\\evil~${'r'.repeat(43)}`,
      `interaction~${uid}\r\nX: y~${'r'.repeat(43)}`,
      `interaction~${uid}?x=~${'r'.repeat(43)}`,
      `interaction~${uid}~${'r'.repeat(5_000)}`,
      `__proto__~${uid}~${'r'.repeat(43)}`,
    );
    const request = state.chain((value) =>
      tampered({ code: 'a-code', state: value, iss: provider.url }, OTHERS),
    );
    await fc.assert(
      fc.asyncProperty(request, async (parameters) => {
        const { status, location } = await ask(`/connectors/acme/callback?${toQuery(parameters)}`);
        expect([303, 400]).toContain(status);
        expect(location).toMatch(
          status === 303 ? /^\/(interaction\/[\w-]{21,43}|account)\/callback\/acme\?/ : /^$/,
        );
      }),
      { numRuns: 250 },
    );
  });

  it('sign nobody in, in the browser that waits for one', async () => {
    const { visitor, url } = await issuer.depart('acme');
    const answer = await answerOf(provider, url);
    const uid = answer.searchParams.get('state')?.split('~')[1] ?? '';
    const path = `/interaction/${uid}/callback/acme`;
    const cookie = await visitor.cookies.getCookieString(`${issuer.issuerUrl}${path}`);
    expect(cookie).toContain('interaction=');
    const { code, iss } = Object.fromEntries(answer.searchParams);
    // Each with a state that isn't its own, so that the right one stays unused.
    const valid = {
      code: code ?? '',
      state: `interaction~${uid}~${'r'.repeat(43)}`,
      iss: iss ?? '',
    };
    await fc.assert(
      fc.asyncProperty(tampered(valid, OTHERS), async (parameters) => {
        const { status, location } = await ask(`${path}?${toQuery(parameters)}`, cookie);
        expect(status).toBeGreaterThanOrEqual(400);
        expect(status).toBeLessThan(500);
        expect(location).toBe('');
      }),
      { numRuns: 150 },
    );
    await visitor[Symbol.asyncDispose]();
  });
});
