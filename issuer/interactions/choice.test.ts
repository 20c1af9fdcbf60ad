import { describe, expect, it } from 'vitest';
import type { Connector, PasswordConnector, RedirectConnector } from '../connectors/connector.ts';
import { offerConnectors, onlyProvider } from './choice.ts';

const nobody = () => Promise.reject(new Error('asked'));
const local: PasswordConnector = { kind: 'password', id: 'local', name: 'Local', signIn: nobody };
const provider = (id: string, more: Partial<RedirectConnector> = {}): RedirectConnector => ({
  kind: 'redirect',
  id,
  name: id,
  type: 'oidc',
  begin: nobody,
  complete: nobody,
  refresh: nobody,
  ...more,
});
const corp = provider('corp', { domains: ['corp.test'] });
const admitted = provider('admitted', { admission: { allowed_email_domains: ['admitted.test'] } });
const open = provider('open');
const ALL = [local, corp, admitted, open];

describe('offerConnectors', () => {
  it.each<[string, Parameters<typeof offerConnectors>[1], readonly Connector[]]>([
    ['nothing said', {}, ALL],
    ['a connector', { connectorId: 'open' }, [open]],
    ['local accounts', { connectorId: 'local' }, [local]],
    ['an unknown connector', { connectorId: 'none' }, ALL],
    ['an address of a domain', { loginHint: 'ann@corp.test' }, [corp]],
    ['an address in another case', { loginHint: 'ann@CORP.test' }, [corp]],
    ['an address that a rule admits', { loginHint: 'ann@admitted.test' }, [admitted]],
    ['another address', { loginHint: 'ann@other.test' }, ALL],
    ['a domain below', { loginHint: 'ann@sub.corp.test' }, ALL],
    ['two addresses in one', { loginHint: 'ann@evil.test@corp.test' }, ALL],
    ['a username', { loginHint: 'ann' }, ALL],
    [
      'both, of which the connector counts',
      { connectorId: 'open', loginHint: 'a@corp.test' },
      [open],
    ],
  ])('with %s', (_name, hints, expected) => {
    expect(offerConnectors(ALL, hints)).toEqual(expected);
  });
});

describe('onlyProvider', () => {
  it('is the one provider, when nothing else is on offer', () => {
    expect(onlyProvider([corp])).toBe(corp);
    expect(onlyProvider([local])).toBeUndefined();
    expect(onlyProvider([corp, open])).toBeUndefined();
    expect(onlyProvider([corp, local])).toBeUndefined();
    expect(onlyProvider([])).toBeUndefined();
  });
});
