import { describe, expect, it } from 'vitest';
import { createClientAddress, TrustedProxies, toNetwork, toSite } from './client-address.ts';

const PROXIES = ['10.0.0.0/8', 'fd00::/8'];

describe('the client’s address', () => {
  it.each([
    ['the socket’s, without a proxy', [], '203.0.113.9', '198.51.100.1', '203.0.113.9'],
    ['the socket’s, when it is no proxy', PROXIES, '203.0.113.9', '198.51.100.1', '203.0.113.9'],
    ['the one that a proxy names', PROXIES, '10.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['the rightmost', PROXIES, '10.0.0.1', '1.1.1.1, 198.51.100.1', '198.51.100.1'],
    ['left of other proxies', PROXIES, '10.0.0.1', '1.1.1.1,198.51.100.1,10.9.9.9', '198.51.100.1'],
    ['no spoofed proxy', PROXIES, '10.0.0.1', '10.1.1.1, 198.51.100.1', '198.51.100.1'],
    ['the farthest proxy, when there is nobody else', PROXIES, '10.0.0.1', '10.2.2.2', '10.2.2.2'],
    ['the proxy’s own, without the header', PROXIES, '10.0.0.1', '', '10.0.0.1'],
    ['without a port', PROXIES, '10.0.0.1', '198.51.100.1:8443', '198.51.100.1'],
    ['IPv6', PROXIES, 'fd00::1', '2001:DB8::7', '2001:db8::7'],
    ['IPv6 in brackets with a port', PROXIES, 'fd00::1', '[2001:db8::7]:443', '2001:db8::7'],
    ['IPv6 without its zone', [], 'fe80::1%eth0', '', 'fe80::1'],
    ['IPv4 in IPv6 is IPv4', PROXIES, '::ffff:10.0.0.1', '::ffff:198.51.100.1', '198.51.100.1'],
    ['nothing behind rubbish', PROXIES, '10.0.0.1', '198.51.100.1, unknown', '10.0.0.1'],
    ['nothing behind an empty entry', PROXIES, '10.0.0.1', '198.51.100.1, ', '10.0.0.1'],
    ['no markup', PROXIES, '10.0.0.1', '<script>', '10.0.0.1'],
    ['no name', PROXIES, '10.0.0.1', 'localhost', '10.0.0.1'],
    ['none, when the socket is gone', PROXIES, undefined, '198.51.100.1', ''],
  ])('is %s', (_name, proxies, peer, forwardedFor, expected) => {
    expect(createClientAddress(proxies)({ peer, forwardedFor })).toBe(expected);
  });

  it('is found under any amount of padding', () => {
    const forwardedFor = `${'10.0.0.2,'.repeat(5_000)}198.51.100.1`;
    expect(createClientAddress(PROXIES)({ peer: '10.0.0.1', forwardedFor })).toBe('198.51.100.1');
  });
});

describe('the network that limits count by', () => {
  it.each([
    ['203.0.113.9', '203.0.113.9'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002:0:0:0:9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['', ''],
  ])('of %s is %s', (address, expected) => {
    expect(toNetwork(address)).toBe(expected);
  });
});

describe('the site that limits count by', () => {
  it.each([
    ['203.0.113.9', '203.0.113.0/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
    ['2001:0DB8::9', '2001:db8:0::/48'],
    ['', ''],
  ])('of %s is %s', (address, expected) => {
    expect(toSite(address)).toBe(expected);
  });
});

describe('TRUSTED_PROXIES', () => {
  it.each([
    ['10.0.0.0/8, fd00::/8', ['10.0.0.0/8', 'fd00::/8']],
    ['127.0.0.1,::1', ['127.0.0.1/32', '::1/128']],
  ])('reads %s', (text, expected) => {
    expect(TrustedProxies.parse(text)).toEqual(expected);
  });

  it.each(['10.0.0.0/33', 'fd00::/129', 'localhost', '10.0.0/8', '10.0.0.0/', '*', '10.0.0.0/8,'])(
    'refuses %s',
    (text) => {
      expect(() => TrustedProxies.parse(text)).toThrow(/CIDRs/);
    },
  );
});
