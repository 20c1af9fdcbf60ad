import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createId } from '#domain/identifiers.ts';
import type { HostPlan } from '#domain/plan.ts';
import { hostObjects, namespaceObject } from './host-objects.ts';
import { hostNames } from './names.ts';
import { SETTINGS } from './settings.fixture.ts';

const NAMES = hostNames(createId());
const PLAN: HostPlan = {
  workspaceQuota: {},
  isolation: 'shared',
  nodeSelector: {},
  tolerations: [],
};

const objectsOf = (plan: Partial<HostPlan> = {}, configuration = { authentication: { a: 1 } }) => {
  const objects = hostObjects({
    names: NAMES,
    plan: { ...PLAN, ...plan },
    configuration,
    settings: SETTINGS,
  });
  return Object.fromEntries(objects.map(({ body }) => [body.metadata.name, body]));
};

describe('hostObjects', () => {
  it('are all labelled with the workspace, and in its namespace', () => {
    for (const body of Object.values(objectsOf())) {
      expect(body.metadata.labels).toMatchObject({
        'kaas.hexabase.io/workspace': NAMES.workspace,
      });
    }
    expect(namespaceObject(NAMES, 'baseline').body.metadata.labels).toMatchObject({
      'kaas.hexabase.io/workspace': NAMES.workspace,
      'pod-security.kubernetes.io/enforce': 'baseline',
    });
  });

  it.each([
    [{}, {}],
    [{ 'limits.cpu': '4' }, { cpu: '1' }],
    [
      { 'limits.cpu': '4', 'limits.memory': '8Gi', pods: '9' },
      { cpu: '1', memory: '512Mi' },
    ],
  ])('for the quota %j give containers the default limits %j', (workspaceQuota, limits) => {
    expect(objectsOf({ workspaceQuota })).toMatchObject({
      'hexabase-plan': { spec: { hard: workspaceQuota } },
      'hexabase-defaults': { spec: { limits: [{ type: 'Container', default: limits }] } },
    });
  });

  it('let no pod out to private networks, with each family’s exceptions in its own block', () => {
    const { spec } = objectsOf()['hexabase-isolation'] as unknown as {
      spec: { ingress: object[]; egress: { to: object[] }[] };
    };
    expect(spec.ingress).toEqual([{ from: [{ podSelector: {} }] }]);
    expect(spec.egress.at(-1)).toEqual({
      to: [
        { ipBlock: { cidr: '0.0.0.0/0', except: ['10.0.0.0/8', '192.168.0.0/16'] } },
        { ipBlock: { cidr: '::/0', except: ['fc00::/7'] } },
      ],
    });
  });

  it('open the control plane only, whatever labels a tenant gives a pod', () => {
    expect(objectsOf()['hexabase-control-plane']).toMatchObject({
      spec: {
        podSelector: {
          matchExpressions: expect.arrayContaining([
            { key: 'vcluster.loft.sh/managed-by', operator: 'DoesNotExist' },
          ]),
        },
      },
    });
  });

  it('hold the files that configure the API server', () => {
    const audit = { policy: { rules: [] }, webhook: { clusters: [] } };
    const { data } = objectsOf({}, { authentication: { a: 1 }, audit } as never)[
      'hexabase-apiserver'
    ] as unknown as { data: Record<string, string> };
    const files = Object.entries(data).map(([name, text]) => [
      name,
      parse(Buffer.from(text, 'base64').toString()),
    ]);
    expect(Object.fromEntries(files)).toEqual({
      'authentication.yaml': { a: 1 },
      'audit-policy.yaml': audit.policy,
      'audit-webhook.yaml': audit.webhook,
    });
  });
});
