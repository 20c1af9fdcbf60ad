import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  createOidcBench,
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

const google = (more: object = {}) => bench.connect({ type: 'google', ...bench.client(), ...more });

describe('Google', () => {
  it('lets in the organization that the ID token names, and offers it first', async () => {
    const connector = await google({ hosted_domains: ['corp.test'] });
    const { url } = await connector.begin({ state: STATE, forceLogin: true });
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      hd: 'corp.test',
      prompt: 'select_account',
      scope: 'openid profile email',
    });
    expect(url.searchParams.has('access_type')).toBe(false);
    provider.behave({ claims: (claims) => ({ ...claims, hd: 'corp.test' }) });
    expect((await bench.signIn(connector)).identity.subject).toBe('u-1');
    expect(connector).toMatchObject({ type: 'google', domains: ['corp.test'] });
  });

  it.each([
    ['an address of the domain, without hd', {}],
    ['hd of another organization', { hd: 'evil.test' }],
  ])('turns away %s', async (_name, more) => {
    provider.behave({ claims: (claims) => ({ ...claims, ...more }) });
    await expect(bench.signIn(await google({ hosted_domains: ['corp.test'] }))).rejects.toThrow(
      failure('not_allowed'),
    );
  });

  it('doesn’t take hd from userinfo, which nobody has signed', async () => {
    provider.behave({
      claims: ({ name, ...claims }) => claims,
      userinfo: (claims) => ({ ...claims, hd: 'corp.test' }),
    });
    await expect(bench.signIn(await google({ hosted_domains: ['corp.test'] }))).rejects.toThrow(
      failure('not_allowed'),
    );
  });

  it('is asked for a refresh token in its own way', async () => {
    const { url } = await (await google({ refresh: true })).begin({
      state: STATE,
      selectAccount: true,
    });
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      access_type: 'offline',
      prompt: 'consent select_account',
      scope: 'openid profile email',
    });
  });
});
