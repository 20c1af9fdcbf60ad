import { describe, expect, it, vi } from 'vitest';
import { stringify } from 'yaml';
// biome-ignore lint/style/noRestrictedImports: the rules themselves are pure; the test needs real certificates.
import { createCertificateAuthority } from '#runtime/certificates.ts';
import { KubeconfigError, parseAttachedKubeconfig } from './attached-kubeconfig.ts';

const authority = await createCertificateAuthority('test');
const [pair, other] = await Promise.all(
  ['a', 'b'].map((commonName) => authority.sign({ commonName, days: 1 })),
);
const base64 = (text = '') => Buffer.from(text).toString('base64');
const CLUSTER = {
  server: 'https://k8s.example.com:6443',
  'certificate-authority-data': base64(authority.certificate),
};
const SECRET = 'a-very-secret-token';

const write = (change: { cluster?: object; user?: object; rest?: object } = {}): string =>
  stringify({
    apiVersion: 'v1',
    kind: 'Config',
    preferences: {},
    clusters: [{ name: 'c', cluster: { ...CLUSTER, ...change.cluster } }],
    users: [{ name: 'u', user: change.user ?? { token: SECRET } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'default' } }],
    'current-context': 'x',
    ...change.rest,
  });
const certificate = (key = pair?.privateKey) => ({
  'client-certificate-data': base64(pair?.certificate),
  'client-key-data': base64(key),
});

describe('parseAttachedKubeconfig', () => {
  it('takes a token', () => {
    expect(parseAttachedKubeconfig(write())).toEqual({
      server: 'https://k8s.example.com:6443',
      certificateAuthority: authority.certificate,
      credential: { token: SECRET },
    });
  });

  it('takes a client certificate', () => {
    expect(parseAttachedKubeconfig(write({ user: certificate() })).credential).toEqual({
      certificate: pair?.certificate,
      privateKey: pair?.privateKey,
    });
  });

  it.each([
    [
      'a credential plugin',
      { user: { token: SECRET, exec: { command: 'sh' } } },
      /"exec".*not run/,
    ],
    ['an auth provider', { user: { 'auth-provider': { name: 'gcp' } } }, /"auth-provider"/],
    ['a token file', { user: { tokenFile: '/etc/passwd' } }, /"tokenFile" ?.*names a file/],
    ['a key file', { user: { 'client-key': '/k', 'client-certificate': '/c' } }, /names a file/],
    ['an authority file', { cluster: { 'certificate-authority': '/ca' } }, /--flatten/],
    ['an unproven server', { cluster: { 'insecure-skip-tls-verify': true } }, /any server/],
    ['a proxy', { cluster: { 'proxy-url': 'http://10.0.0.1' } }, /"proxy-url"/],
    ['impersonation', { user: { token: SECRET, as: 'root' } }, /"as"/],
    ['impersonated groups', { user: { token: SECRET, 'as-groups': ['x'] } }, /"as-groups"/],
    ['basic authentication', { user: { username: 'a', password: 'b' } }, /basic/],
    ['plain HTTP', { cluster: { server: 'http://k8s.example.com' } }, /https/],
    ['a path', { cluster: { server: 'https://k8s.example.com/k8s' } }, /no path/],
    ['a user in the address', { cluster: { server: 'https://a:b@k8s.example.com' } }, /no path/],
    [
      'no authority',
      { cluster: { 'certificate-authority-data': undefined } },
      /at fault is clusters/,
    ],
    ['a wrong authority', { cluster: { 'certificate-authority-data': base64('x') } }, /in PEM/],
    ['no credential', { user: {} }, /either a token/],
    ['two credentials', { user: { token: SECRET, ...certificate() } }, /either a token/],
    ['a key of another certificate', { user: certificate(other?.privateKey) }, /not the one/],
    ['a token of two lines', { user: { token: `${SECRET}\nX-Header: 1` } }, /printable/],
    ['two clusters', { rest: { clusters: [] } }, /exactly one cluster/],
    ['another kind', { rest: { kind: 'Secret' } }, /at fault is kind/],
    ['what is not known', { rest: { surprise: 1 } }, /not known: surprise/],
  ])('refuses %s, and repeats no secret', (_name, change, expected) => {
    const attempt = () => parseAttachedKubeconfig(write(change));
    expect(attempt).toThrow(KubeconfigError);
    expect(attempt).toThrow(expected);
    expect(attempt).not.toThrow(SECRET);
  });

  it.each([
    ['no YAML', '{'],
    ['aliases', 'a: &a [1]\nb: *a'],
    ['nothing', ''],
    ['more than it may be', 'x'.repeat(70_000)],
    ['what is nested without end', '['.repeat(5_000)],
    ['what is nested without brackets', '? '.repeat(5_000)],
  ])('refuses %s', (_name, text) => {
    expect(() => parseAttachedKubeconfig(text)).toThrow(KubeconfigError);
  });

  it.each([
    ['keys', Array.from({ length: 13_000 }, (_, index) => `${index.toString(36)}:`).join('\n')],
    ['faults', '[}'.repeat(30_000)],
  ])('spends no seconds on thousands of %s', (_name, text) => {
    const started = performance.now();
    expect(() => parseAttachedKubeconfig(text)).toThrow('more in it than any kubeconfig');
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  it('warns nobody with what stands in it', () => {
    const warn = vi.spyOn(process, 'emitWarning');
    expect(parseAttachedKubeconfig(write().replace(SECRET, `!tag ${SECRET}`))).toMatchObject({
      credential: { token: SECRET },
    });
    expect(warn).not.toHaveBeenCalled();
  });
});
