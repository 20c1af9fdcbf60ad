import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type HostileProvider, startHostileProvider } from '../../support/hostile-provider.ts';
import {
  CALLBACK,
  type ConnectorBench,
  createConnectorBench,
  STATE,
} from '../../support/redirect-connectors.ts';

let provider: HostileProvider;
let bench: ConnectorBench;

beforeAll(async () => {
  provider = await startHostileProvider();
  provider.registerCallback(CALLBACK);
  bench = await createConnectorBench(provider.ca);
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
});
beforeEach(() => {
  provider.behave({});
  provider.setPerson(ANN);
});

const ANN = { sub: 'u-1', name: 'Ann', email: 'ann@corp.test', email_verified: true };

const client = () => ({
  issuer: provider.url,
  client_id: provider.clientId,
  client_secret: provider.clientSecret,
});
const google = (more: object = {}) => bench.connect({ type: 'google', ...client(), ...more });
const failure = (reason: string) => expect.objectContaining({ failure: reason, connector: 'it' });

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
