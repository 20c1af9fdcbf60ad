import { describe, expect, it } from 'vitest';
import { type ManagedObject, toObjectKey } from '#domain/kubernetes-objects.ts';
import { allows, type Rule } from './rules.ts';
import { planVerification, type RbacObject } from './verify.ts';

const RBAC = 'rbac.authorization.k8s.io';
const labels = {};
const role = (name: string, ...rules: Rule[]) => ({
  apiVersion: `${RBAC}/v1`,
  kind: 'Role',
  metadata: { name, namespace: 'shop', labels },
  rules,
});
const binding = (name: string, roleName: string, groups: string[], kind = 'Role') => ({
  apiVersion: `${RBAC}/v1`,
  kind: 'RoleBinding',
  metadata: { name, namespace: 'shop', labels },
  roleRef: { apiGroup: RBAC, kind, name: roleName },
  subjects: groups.map((group) => ({ apiGroup: RBAC, kind: 'Group', name: group })),
});
const everywhere = (roleName: string, groups: string[]) => ({
  ...binding('all', roleName, groups, 'ClusterRole'),
  kind: 'ClusterRoleBinding',
  metadata: { name: 'all', labels },
});
const read = (...resources: string[]): Rule => ({ apiGroups: [''], resources, verbs: ['get'] });

const clusterRoles = new Map([['view', [read('pods', 'services')]]]);
/** Plans with everything that differs as changed; probes as `group verb resource@namespace=answer`. */
const plan = (before: readonly RbacObject[], after: readonly RbacObject[]): string[] => {
  const texts = (objects: readonly RbacObject[]) =>
    new Map(objects.map((object) => [toObjectKey(object), JSON.stringify(object)]));
  const [old, now] = [texts(before), texts(after)];
  const changed = [...old.keys(), ...now.keys()].filter((key) => old.get(key) !== now.get(key));
  const { probes } = planVerification({
    before,
    after: after as ManagedObject[],
    changed: new Set(changed),
    clusterRoles,
  });
  return probes.map(
    ({ group, namespace, access, allowed }) =>
      `${group} ${access.verb} ${access.resource}@${namespace ?? '*'}=${allowed}`,
  );
};

describe('planVerification', () => {
  const reader = role('reader', read('pods'));
  const bound = binding('b', 'reader', ['a']);
  it.each<[string, readonly RbacObject[], readonly RbacObject[], string[]]>([
    ['nothing when nothing changed', [reader, bound], [reader, bound], []],
    ['a new grant', [], [reader, bound], ['a get pods@shop=true']],
    ['a grant that went', [reader, bound], [reader], ['a get pods@shop=false']],
    [
      'a group that came and one that went',
      [reader, binding('b', 'reader', ['a', 'b'])],
      [reader, binding('b', 'reader', ['b', 'c'])],
      ['c get pods@shop=true', 'a get pods@shop=false'],
    ],
    [
      'what a role gained and lost, for its groups',
      [reader, bound],
      [role('reader', read('secrets')), bound],
      ['a get secrets@shop=true', 'a get pods@shop=false'],
    ],
    [
      'nothing lost that another binding still gives',
      [reader, bound, everywhere('view', ['a'])],
      [reader, everywhere('view', ['a'])],
      [],
    ],
    [
      'a loss by what nothing else gives',
      [role('r', read('pods', 'secrets')), binding('b', 'r', ['a']), everywhere('view', ['a'])],
      [role('r', read('pods', 'secrets')), everywhere('view', ['a'])],
      ['a get secrets@shop=false'],
    ],
    [
      'a gain by what nothing gave before',
      [role('r', read('pods', 'secrets')), everywhere('view', ['a'])],
      [role('r', read('pods', 'secrets')), binding('b', 'r', ['a']), everywhere('view', ['a'])],
      ['a get secrets@shop=true'],
    ],
    ['a grant in the cluster', [], [everywhere('view', ['a'])], ['a get pods@*=true']],
    [
      'another group’s grants prove nothing about this one',
      [reader, bound, everywhere('view', ['b'])],
      [reader, everywhere('view', ['b'])],
      ['a get pods@shop=false'],
    ],
    ['no role without rules', [], [role('reader'), bound], []],
  ])('asks for %s', (_name, before, after, expected) => {
    expect(plan(before, after)).toEqual(expected);
  });

  it('asks for a few of a binding’s many groups, as it comes into force whole', () => {
    const groups = Array.from({ length: 100 }, (_, n) => `g${n}`);
    expect(plan([], [reader, binding('b', 'reader', groups)])).toHaveLength(4);
  });
});

describe('allows', () => {
  const access = { verb: 'get', group: 'apps', resource: 'deployments' };
  it.each<[string, Rule, Partial<typeof access> & { name?: string }, boolean]>([
    ['the same', { verbs: ['get'], apiGroups: ['apps'], resources: ['deployments'] }, {}, true],
    [
      'another verb',
      { verbs: ['list'], apiGroups: ['apps'], resources: ['deployments'] },
      {},
      false,
    ],
    ['another group', { verbs: ['get'], apiGroups: [''], resources: ['deployments'] }, {}, false],
    ['everything', { verbs: ['*'], apiGroups: ['*'], resources: ['*'] }, {}, true],
    [
      'not a subresource by its resource',
      { verbs: ['get'], apiGroups: ['apps'], resources: ['deployments'] },
      { resource: 'deployments/scale' },
      false,
    ],
    [
      'a subresource of any resource',
      { verbs: ['get'], apiGroups: ['apps'], resources: ['*/scale'] },
      { resource: 'deployments/scale' },
      true,
    ],
    [
      'a named one',
      { verbs: ['get'], apiGroups: ['apps'], resources: ['deployments'], resourceNames: ['a'] },
      { name: 'a' },
      true,
    ],
    [
      'not all by a name',
      { verbs: ['get'], apiGroups: ['apps'], resources: ['deployments'], resourceNames: ['a'] },
      {},
      false,
    ],
  ])('%s', (_name, rule, change, expected) => {
    expect(allows([rule], { ...access, ...change })).toBe(expected);
  });
});
