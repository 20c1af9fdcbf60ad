import { describe, expect, it } from 'vitest';
import { type PolicyRule, refuseRules } from './policy-rule.ts';

const rule = (change: Partial<PolicyRule>): PolicyRule => ({
  apiGroups: [''],
  resources: ['pods'],
  verbs: ['get'],
  ...change,
});

describe('refuseRules', () => {
  it.each([
    ['reading pods and their logs', rule({ resources: ['pods', 'pods/log'] })],
    ['running commands in pods', rule({ resources: ['pods/exec'], verbs: ['create'] })],
    [
      'writing deployments',
      rule({ apiGroups: ['apps'], resources: ['deployments'], verbs: ['patch'] }),
    ],
    ['one secret by name', rule({ resources: ['secrets'], resourceNames: ['db'] })],
    ['a custom resource', rule({ apiGroups: ['example.com'], resources: ['widgets'] })],
  ])('allows %s', (_name, allowed) => {
    expect(refuseRules([allowed])).toEqual([]);
  });

  it.each([
    ['escalate', rule({ verbs: ['escalate'] }), [0, 'verbs', 0]],
    ['bind', rule({ verbs: ['get', 'bind'] }), [0, 'verbs', 1]],
    [
      'impersonate',
      rule({ resources: ['serviceaccounts'], verbs: ['impersonate'] }),
      [0, 'verbs', 0],
    ],
    ['every verb', rule({ verbs: ['*'] }), [0, 'verbs', 0]],
    ['a verb that JavaScript knows', rule({ verbs: ['constructor'] }), [0, 'verbs', 0]],
    ['an unknown verb', rule({ verbs: ['GET'] }), [0, 'verbs', 0]],
    ['every group', rule({ apiGroups: ['*'] }), [0, 'apiGroups', 0]],
    [
      'RBAC',
      rule({ apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles'] }),
      [0, 'apiGroups', 0],
    ],
    ['webhooks', rule({ apiGroups: ['admissionregistration.k8s.io'] }), [0, 'apiGroups', 0]],
    ['signing requests', rule({ apiGroups: ['certificates.k8s.io'] }), [0, 'apiGroups', 0]],
    ['every resource', rule({ resources: ['*'] }), [0, 'resources', 0]],
    ['every subresource', rule({ resources: ['pods/*'] }), [0, 'resources', 0]],
    ['every scale', rule({ resources: ['*/scale'] }), [0, 'resources', 0]],
    [
      'token requests',
      rule({ resources: ['serviceaccounts/token'], verbs: ['create'] }),
      [0, 'resources', 0],
    ],
    ['the kubelet', rule({ resources: ['nodes/proxy'] }), [0, 'resources', 0]],
    ['namespaces', rule({ resources: ['namespaces'] }), [0, 'resources', 0]],
    [
      'finalizing namespaces',
      rule({ resources: ['namespaces/finalize'], verbs: ['update'] }),
      [0, 'resources', 0],
    ],
    ['a path for a resource', rule({ resources: ['../pods'] }), [0, 'resources', 0]],
  ])('refuses %s and says where', (_name, refused, path) => {
    const refusals = refuseRules([refused]);
    expect(refusals.map((refusal) => refusal.path)).toContainEqual(path);
    expect(refusals[0]?.reason).toEqual(expect.any(String));
  });
});
