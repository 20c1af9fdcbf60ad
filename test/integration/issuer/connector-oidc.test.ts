import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  ANN,
  createOidcBench,
  credentialOf,
  failure,
  type OidcBench,
  STATE,
} from '../../support/redirect-connectors.ts';

let bench: OidcBench;
let provider: OidcBench['provider'];

beforeAll(async () => {
  bench = await createOidcBench();
  provider = bench.provider;
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.reset());

const oidc = (more: object = {}) => bench.connect({ type: 'oidc', ...bench.client(), ...more });

describe('an OpenID provider that is asked again', () => {
  it('says who someone is and which groups they have by then, with a new refresh token', async () => {
    const connector = await oidc({ groups_claim: 'groups' });
    provider.setPerson({ ...ANN, groups: ['b', 'a'] });
    const first = await bench.signIn(connector);
    expect(first.groups).toEqual(['a', 'b']);
    provider.setPerson({ ...ANN, groups: ['b'] });
    const again = await connector.refresh(credentialOf(first));
    expect(again).toMatchObject({ identity: { subject: 'u-1' }, groups: ['b'] });
    expect(credentialOf(again).value).not.toBe(credentialOf(first).value);
  });

  it('is asked by userinfo when it gives no ID token, and is known by the same subject', async () => {
    const connector = await oidc({ groups_claim: 'groups' });
    const first = await bench.signIn(connector);
    provider.behave({ idToken: () => undefined });
    expect((await connector.refresh(credentialOf(first))).identity.subject).toBe('u-1');
  });

  it('that has ended the grant is a definite no', async () => {
    const connector = await oidc({ refresh: true });
    const first = await bench.signIn(connector);
    provider.forgetEveryone();
    await expect(connector.refresh(credentialOf(first))).rejects.toThrow(failure('gone'));
  });

  it.each([
    ['is down', { misanswers: { token: 'status 503' } }],
    ['resets', { misanswers: { token: 'reset' } }],
    ['answers rubbish', { misanswers: { token: 'rubbish' } }],
    ['answers an error that nobody knows', { misanswers: { token: 'status 400' } }],
    ['signs with another key', { signature: 'foreign' }],
    [
      'has lost the person’s groups',
      { claims: (claims: object) => ({ ...claims, groups: 'all' }) },
    ],
  ] as const)('that %s takes nobody’s rights away', async (_name, behaviour) => {
    const connector = await oidc({ groups_claim: 'groups' });
    const first = await bench.signIn(connector);
    provider.behave(behaviour);
    await expect(connector.refresh(credentialOf(first))).rejects.toThrow(failure('unavailable'));
  });

  it('no longer calling the address verified is a no, where that is needed', async () => {
    const connector = await oidc({ refresh: true });
    const first = await bench.signIn(connector);
    provider.setPerson({ sub: 'u-1', email: 'ann@corp.test', email_verified: false });
    await expect(connector.refresh(credentialOf(first))).rejects.toThrow(failure('gone'));
  });
});

describe('an OpenID provider', () => {
  it('is asked for a refresh token only to ask again', async () => {
    const scopesOf = async (more: object) =>
      (await (await oidc(more)).begin({ state: STATE })).url.searchParams.get('scope');
    expect(await scopesOf({})).toBe('openid profile email');
    expect(await scopesOf({ refresh: true })).toBe('openid profile email offline_access');
    expect(await scopesOf({ groups_claim: 'g' })).toContain('offline_access');
    expect(await scopesOf({ scopes: ['groups'] })).toBe('openid groups');
  });

  it('is not asked for userinfo when the ID token says everything', async () => {
    const connector = await oidc();
    const before = provider.requests.length;
    await bench.signIn(connector);
    expect(provider.requests.slice(before)).not.toContain('userinfo');
  });

  it('is believed in userinfo when the ID token says little', async () => {
    provider.behave({ claims: ({ name, email, email_verified, ...claims }) => claims });
    expect((await bench.signIn(await oidc())).identity).toMatchObject({
      displayName: 'Ann',
      email: 'ann@corp.test',
      emailVerified: true,
    });
  });

  it('is refused an ID token that was made for another client as well, by azp', async () => {
    provider.behave({ claims: (claims) => ({ ...claims, azp: 'another' }) });
    await expect(bench.signIn(await oidc())).rejects.toThrow(failure('invalid'));
  });

  it('gives no answer to a request of another connector', async () => {
    const connector = await oidc();
    const { url, request } = await connector.begin({ state: STATE });
    const answer = new URL(`${url.searchParams.get('redirect_uri')}?code=x&state=${STATE}`);
    await expect(connector.complete(answer, { ...request, connector: 'other' })).rejects.toThrow(
      failure('invalid'),
    );
  });

  it('that comes back up is used again', async () => {
    const connector = await oidc();
    provider.behave({ misanswers: { discovery: 'status 503' } });
    await expect(connector.begin({ state: STATE })).rejects.toThrow(failure('unavailable'));
    provider.behave({});
    expect((await bench.signIn(connector)).identity.subject).toBe('u-1');
  });

  it('must have its secret where the settings say', async () => {
    const missing = { client_secret: undefined, client_secret_path: join(bench.directory, 'none') };
    await expect(oidc(missing)).rejects.toThrow(/ENOENT/);
  });
});
