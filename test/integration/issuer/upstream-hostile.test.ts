import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../issuer/views/messages/en-errors.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import {
  type Behaviour,
  type HostileProvider,
  startHostileProvider,
} from '../../support/hostile-provider.ts';
import { SignInRefusedError } from '../../support/oidc-client.ts';
import { expectNoneLogged, expectRefusal } from '../../support/refusals.ts';
import { oidcConnector, startUpstreamIssuer, type UpstreamIssuer } from '../../support/upstream.ts';

let database: TestDatabase;
let provider: HostileProvider;
let issuer: UpstreamIssuer;

beforeAll(async () => {
  database = await createTestDatabase();
  provider = await startHostileProvider();
  issuer = await startUpstreamIssuer(database, { acme: oidcConnector(provider) });
});
afterAll(async () => {
  expectNoneLogged(issuer.logLines, provider.secrets);
  for (const each of [issuer, provider, database]) await each?.[Symbol.asyncDispose]();
});

const ALICE = { sub: 'alice', name: 'Alice', email: 'alice@example.test', email_verified: true };

const countPeople = async (): Promise<number> => {
  const [row] = await database.query<{ count: number }>('SELECT count(*)::int FROM person');
  return row?.count ?? 0;
};

/** Signs in at a provider that behaves so, and expects a page of ours and no new person. */
const expectRefused = async (
  behaviour: Behaviour,
  [status, code]: readonly [number, ErrorCode],
): Promise<void> => {
  const before = await countPeople();
  provider.behave(behaviour);
  const error: unknown = await issuer.signIn('acme').catch((reason: unknown) => reason);
  provider.behave({});
  expect(error).toBeInstanceOf(SignInRefusedError);
  expectRefusal((error as SignInRefusedError).page, status, code);
  expect(await countPeople()).toBe(before);
};

const INVALID = [400, 'upstream_invalid'] as const;
const claims = (changed: object): Behaviour => ({ claims: (right) => ({ ...right, ...changed }) });
const without = (name: string): Behaviour => ({
  claims: (right) => Object.fromEntries(Object.entries(right).filter(([key]) => key !== name)),
});
const answer = (change: (parameters: URLSearchParams) => void): Behaviour => ({
  answer: (right) => {
    const parameters = new URLSearchParams(right);
    change(parameters);
    return parameters;
  },
});
const seconds = (ago: number): number => Math.floor(Date.now() / 1000) - ago;
const parts = (token: string): [string, string] => token.split('.').slice(0, 2) as [string, string];
const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const signWithHmac = (token: string, key: string): string => {
  const [, payload] = parts(token);
  const signed = `${encode({ alg: 'HS256', kid: 'right' })}.${payload}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
};

const BREACHES: readonly (readonly [string, () => Behaviour])[] = [
  ['another nonce', () => claims({ nonce: 'another' })],
  ['no nonce', () => without('nonce')],
  ['another audience', () => claims({ aud: 'another' })],
  ['no audience', () => without('aud')],
  [
    'several audiences and another authorized party',
    () => claims({ aud: ['hexabase', 'another'], azp: 'another' }),
  ],
  ['another authorized party', () => claims({ azp: 'another' })],
  ['another issuer', () => claims({ iss: 'https://evil.example' })],
  ['our own issuer', () => claims({ iss: issuer.issuerUrl })],
  ['no issuer', () => without('iss')],
  ['an expired ID token', () => claims({ iat: seconds(900), exp: seconds(600) })],
  ['no expiry', () => without('exp')],
  ['an ID token of tomorrow', () => claims({ nbf: seconds(-86_400) })],
  ['a key that it never published', () => ({ signature: 'foreign' })],
  ['a key id that it never published', () => ({ signature: 'unknown kid' })],
  ['no signature', () => ({ idToken: (token) => `${parts(token).join('.')}.` })],
  [
    'alg none',
    () => ({
      idToken: (token) => `${encode({ alg: 'none' })}.${parts(token)[1]}.`,
    }),
  ],
  ['alg HS256 with the public key', () => ({ idToken: (token) => signWithHmac(token, 'right') })],
  [
    'alg HS256 with the client secret',
    () => ({
      idToken: (token) => signWithHmac(token, provider.clientSecret),
    }),
  ],
  ['an ID token that is none', () => ({ idToken: () => 'rubbish' })],
  ['no ID token', () => ({ idToken: () => undefined })],
  ['no subject', () => without('sub')],
  ['an empty subject', () => claims({ sub: '' })],
  ['a subject that is a number', () => claims({ sub: 7 })],
  ['a subject that is an array', () => claims({ sub: ['alice'] })],
  ['a subject of 256 characters', () => claims({ sub: 'x'.repeat(256) })],
  ['a subject of 100 KB', () => claims({ sub: 'x'.repeat(100_000) })],
  ['a subject with a NUL', () => claims({ sub: 'alice\u0000' })],
  ['a subject with a line break', () => claims({ sub: 'alice\n' })],
  ['no access token', () => ({ token: ({ access_token: _, ...rest }) => rest })],
  ['another token type', () => ({ token: (body) => ({ ...body, token_type: 'MAC' }) })],
  ['another state', () => answer((parameters) => parameters.set('state', 'x'))],
  ['no state', () => answer((parameters) => parameters.delete('state'))],
  [
    'another `iss` in its answer',
    () => answer((parameters) => parameters.set('iss', 'https://evil.example')),
  ],
  [
    'no `iss` in its answer, though announced',
    () => answer((parameters) => parameters.delete('iss')),
  ],
  ['two codes', () => answer((parameters) => parameters.append('code', 'x'))],
  ['no code', () => answer((parameters) => parameters.delete('code'))],
  ['a code that it doesn’t know', () => answer((parameters) => parameters.set('code', 'x'))],
];

describe('a provider that breaks the protocol', () => {
  it.each(BREACHES)('by %s is refused', async (_name, behave) => {
    provider.setPerson(ALICE);
    await expectRefused(behave(), INVALID);
  });

  it('is taken again as soon as it is right', async () => {
    provider.setPerson(ALICE);
    expect((await issuer.signIn('acme')).claims['name']).toBe('Alice');
  });
});

describe('a provider that says no', () => {
  const refusing = (error: string): Behaviour =>
    answer((parameters) => {
      parameters.delete('code');
      parameters.set('error', error);
      parameters.set('error_description', '<script>alert(1)</script> call +1 555 0100');
    });

  it.each([
    ['access_denied', 403, 'upstream_denied'],
    ['login_required', 403, 'upstream_denied'],
    ['server_error', 502, 'upstream_unavailable'],
    ['temporarily_unavailable', 502, 'upstream_unavailable'],
    ['<script>alert(1)</script>', 502, 'upstream_unavailable'],
  ] as const)('with %s gets our words, never its own', async (error, status, code) => {
    await expectRefused(refusing(error), [status, code]);
    expect(issuer.logLines.join('\n')).not.toContain('555 0100');
  });
});

describe('an e-mail address', () => {
  it.each([
    ['false', { ...ALICE, email_verified: false }],
    ['the string "true"', { ...ALICE, email_verified: 'true' }],
    ['the number 1', { ...ALICE, email_verified: 1 }],
    ['missing', { sub: 'alice', email: ALICE.email }],
  ])('isn’t verified when email_verified is %s', async (_what, person) => {
    provider.setPerson(person);
    await expectRefused({}, [403, 'upstream_unverified_email']);
  });

  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['no address', 'alice'],
    ['an array', ['alice@example.test']],
    ['of two lines', 'alice@example.test\nbcc: eve@example.test'],
    ['two', 'alice@example.test,eve@evil.example'],
  ])('that is %s is none', async (_what, email) => {
    provider.setPerson({ ...ALICE, email });
    const error: unknown = await issuer.signIn('acme').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SignInRefusedError);
    expect([400, 403]).toContain((error as SignInRefusedError).page.status);
  });

  it('of the ID token isn’t replaced by userinfo of someone else', async () => {
    provider.setPerson({ sub: 'no-name' });
    await expectRefused({ userinfo: () => ALICE }, INVALID);
  });
});

describe('a name', () => {
  it.each([
    ['markup', '<script>alert(1)</script><img src=x onerror=alert(1)>'],
    ['a link', '"><a href="https://evil.example">Allow</a>'],
    ['letters that turn the text around', 'Alice \u202Egnp.exe'],
    ['10,000 letters', 'x'.repeat(10_000)],
    ['control characters', 'Al\u0000ice\u0007\n\n'],
    ['nothing but blanks', ' \u200b\u3000 '],
  ])('of %s harms nobody', async (_what, name) => {
    provider.setPerson({ ...ALICE, sub: `named ${name.length} ${name.codePointAt(0)}`, name });
    const { claims: own } = await issuer.signIn('acme');
    expect(String(own['name'])).toMatch(/\S/u);
    expect(String(own['name']).length).toBeLessThanOrEqual(255);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what must not be there
    expect(String(own['name'])).not.toMatch(/[\u0000-\u001f\u007f\u202a-\u202e\u2066-\u2069]/u);
  });
});
