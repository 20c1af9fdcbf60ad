import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { toVclusterSettings, vclusterEnvironment } from './config.ts';

const settingsOf = (env: Record<string, string>) =>
  toVclusterSettings(z.object(vclusterEnvironment).parse(env));

describe('toVclusterSettings', () => {
  it('pins a version and keeps pods out of private networks when nothing is said', () => {
    const settings = settingsOf({});
    expect(settings.chart.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(settings.privateNetworks).toContain('169.254.0.0/16');
    expect(settings.storage.dedicated).toEqual(settings.storage.shared);
  });

  it.each([
    [
      { VCLUSTER_ENDPOINT: 'ingress', VCLUSTER_HOST: '{workspace}.a.example' },
      { kind: 'ingress', host: '{workspace}.a.example', annotations: {} },
    ],
    [
      {
        VCLUSTER_ENDPOINT: 'tls-route',
        VCLUSTER_HOST: '{workspace}.a.example',
        VCLUSTER_GATEWAY: 'edge/gateway',
      },
      { kind: 'tls-route', gateway: { namespace: 'edge', name: 'gateway' } },
    ],
    [
      { VCLUSTER_ENDPOINT: 'address', VCLUSTER_ADDRESS: 'https://{workspace}.a.example:6443' },
      { kind: 'address', address: 'https://{workspace}.a.example:6443' },
    ],
    [
      { VCLUSTER_ENDPOINT_ANNOTATIONS: '{"a": "b"}' },
      { kind: 'load-balancer', annotations: { a: 'b' } },
    ],
  ])('makes of %j the endpoint %j', (env, endpoint) => {
    expect(settingsOf(env).endpoint).toMatchObject(endpoint);
  });

  it.each([
    ['vcluster', 'https://charts.loft.sh'],
    ['oci://registry.example/charts/vcluster', undefined],
    ['/charts/vcluster', undefined],
  ])('finds the chart %s in the repository %s', (name, repository) => {
    expect(settingsOf({ VCLUSTER_CHART: name }).chart).toMatchObject({ name });
    expect(settingsOf({ VCLUSTER_CHART: name }).chart.repository).toBe(repository);
  });

  it.each([
    ['VCLUSTER_HOST', { VCLUSTER_ENDPOINT: 'ingress' }],
    ['VCLUSTER_ADDRESS', { VCLUSTER_ENDPOINT: 'address' }],
    ['VCLUSTER_HOST', { VCLUSTER_HOST: 'the-same-for-all.example' }],
    ['VCLUSTER_ENDPOINT_ANNOTATIONS', { VCLUSTER_ENDPOINT_ANNOTATIONS: 'a=b' }],
    ['VCLUSTER_VOLUME_SIZE', { VCLUSTER_VOLUME_SIZE: 'large' }],
  ])('names %s when it is missing or wrong', (name, env) => {
    expect(() => settingsOf(env)).toThrow(name);
  });
});
