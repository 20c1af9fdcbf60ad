import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { createId } from '#domain/identifiers.ts';
import type { HostPlan, Toleration } from '#domain/plan.ts';
import { hostNames } from './names.ts';
import { SETTINGS } from './settings.fixture.ts';
import type { Endpoint, Storage } from './settings.ts';
import { configuredServer, type ValuesInput, vclusterValues } from './values.ts';

const SCHEMA = new URL('../../../test/data/vcluster/values.schema.json', import.meta.url);
const validate = new Ajv2020({ strict: false, allErrors: true }).compile(
  JSON.parse(readFileSync(SCHEMA, 'utf8')),
);

const PLAN: HostPlan = {
  workspaceQuota: { 'requests.cpu': '4' },
  isolation: 'shared',
  nodeSelector: {},
  tolerations: [],
};
const NAMES = hostNames(createId());

const valuesOf = (change: Partial<ValuesInput> = {}) => {
  const values = vclusterValues({
    names: NAMES,
    plan: PLAN,
    configuration: { authentication: {} },
    settings: SETTINGS,
    storage: SETTINGS.storage.shared,
    ...change,
  });
  validate(values);
  expect(validate.errors).toBeNull();
  return values;
};

const DEDICATED: HostPlan = {
  ...PLAN,
  isolation: 'dedicated',
  nodeSelector: { 'kaas.hexabase.io/pool': 'acme' },
  tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'acme', effect: 'NoSchedule' }],
};

describe('vclusterValues', () => {
  it('mounts the configuration as a directory and names it to the API server', () => {
    const values = valuesOf();
    expect(values).toMatchObject({
      controlPlane: {
        distro: {
          k8s: {
            apiServer: {
              extraArgs: expect.arrayContaining([
                '--authentication-config=/etc/hexabase/authentication.yaml',
              ]),
            },
          },
        },
        statefulSet: {
          persistence: {
            addVolumes: [{ name: 'hexabase', secret: { secretName: 'hexabase-apiserver' } }],
            addVolumeMounts: [{ name: 'hexabase', mountPath: '/etc/hexabase', readOnly: true }],
          },
        },
      },
    });
    expect(JSON.stringify(values)).not.toMatch(/subPath|audit/);
  });

  it('restarts the API server when the audit files change, which it reads at its start only', () => {
    const [one, other] = ['a', 'b'].map((server) =>
      valuesOf({
        configuration: { authentication: {}, audit: { policy: {}, webhook: { server } } },
      }),
    );
    expect(JSON.stringify(one)).toContain('--audit-policy-file=/etc/hexabase/audit-policy.yaml');
    expect(one).not.toEqual(other);
  });

  it('says nothing of the configuration itself: a new key of the issuer restarts nobody', () => {
    expect(valuesOf({ configuration: { authentication: { jwt: [] } } })).toEqual(valuesOf());
  });

  it('holds the control plane and every pod of a dedicated workspace on its nodes', () => {
    const scheduling = {
      nodeSelector: DEDICATED.nodeSelector,
      tolerations: DEDICATED.tolerations,
    };
    expect(valuesOf({ plan: DEDICATED })).toMatchObject({
      controlPlane: { statefulSet: { scheduling } },
      sync: {
        fromHost: {
          nodes: { enabled: true, selector: { labels: { 'kaas.hexabase.io/pool': 'acme' } } },
        },
        toHost: { pods: { enforceTolerations: ['dedicated=acme:NoSchedule'] } },
      },
    });
  });

  it.each<[Toleration, string[]]>([
    [{ operator: 'Exists' }, ['*']],
    [{ operator: 'Exists', effect: 'NoExecute' }, [':NoExecute']],
    [{ key: 'gpu', operator: 'Exists', effect: 'NoSchedule' }, ['gpu:NoSchedule']],
    [
      { key: 'gpu', operator: 'Exists' },
      ['gpu:NoSchedule', 'gpu:PreferNoSchedule', 'gpu:NoExecute'],
    ],
    [{ key: 'team', value: 'a' }, ['team=a']],
    [{ key: 'team', operator: 'Equal', value: 'a', effect: 'NoExecute' }, ['team=a:NoExecute']],
  ])('writes %j as %j', (toleration, expected) => {
    expect(valuesOf({ plan: { ...PLAN, tolerations: [toleration] } })).toMatchObject({
      sync: { toHost: { pods: { enforceTolerations: expected } } },
    });
  });

  it.each<[string, Storage, object]>([
    [
      'database',
      { backingStore: 'database', size: '5Gi' },
      { database: { embedded: { enabled: true } } },
    ],
    [
      'etcd',
      { backingStore: 'etcd', size: '20Gi', storageClass: 'fast' },
      { etcd: { deploy: { enabled: true } } },
    ],
  ])('keeps the data in %s, on a claim that outlives the release', (_name, storage, expected) => {
    const { size, storageClass } = storage;
    const volumeClaim = {
      enabled: true,
      retentionPolicy: 'Retain',
      size,
      ...(storageClass && { storageClass }),
    };
    expect(valuesOf({ storage, plan: DEDICATED })).toMatchObject({
      controlPlane: {
        backingStore: expected,
        statefulSet: { persistence: { volumeClaim } },
      },
    });
  });
});

const HOST = `${NAMES.namespace}.example.com`;

describe('an endpoint', () => {
  it.each<[Endpoint, string | undefined, object]>([
    [
      { kind: 'load-balancer', annotations: { a: 'b' } },
      undefined,
      { controlPlane: { service: { spec: { type: 'LoadBalancer' }, annotations: { a: 'b' } } } },
    ],
    [
      {
        kind: 'ingress',
        host: '{workspace}.example.com',
        ingressClass: 'nginx',
        annotations: { 'nginx.ingress.kubernetes.io/ssl-passthrough': 'true' },
      },
      `https://${HOST}`,
      {
        controlPlane: {
          ingress: { enabled: true, host: HOST, spec: { ingressClassName: 'nginx' } },
          proxy: { extraSANs: [HOST] },
        },
        exportKubeConfig: { server: `https://${HOST}` },
      },
    ],
    [
      {
        kind: 'tls-route',
        host: '{workspace}.example.com',
        gateway: { name: 'edge', namespace: 'gateways' },
      },
      `https://${HOST}`,
      {
        controlPlane: {
          tlsRoute: {
            enabled: true,
            host: HOST,
            parentRefs: [{ name: 'edge', namespace: 'gateways' }],
          },
          proxy: { extraSANs: [HOST] },
        },
      },
    ],
    [
      { kind: 'address', address: 'https://{workspace}.example.com:6443' },
      `https://${HOST}:6443`,
      { controlPlane: { proxy: { extraSANs: [HOST] } } },
    ],
  ])('%j is at %s', (endpoint, server, expected) => {
    expect(configuredServer(endpoint, NAMES)).toBe(server);
    expect(valuesOf({ settings: { ...SETTINGS, endpoint } })).toMatchObject(expected);
  });
});
