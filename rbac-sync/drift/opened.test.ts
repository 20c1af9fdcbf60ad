import { describe, expect, it } from 'vitest';
import { MANAGED_BY, MANAGED_BY_LABEL, type ManagedObject } from '#domain/kubernetes-objects.ts';
import { listDifferences } from './differences.ts';
import { anObserved } from './drift.fixture.ts';
import { listOpenings } from './opened.ts';

const LABELS = { [MANAGED_BY_LABEL]: MANAGED_BY };
const SECRETS = { verbs: ['get'], apiGroups: [''], resources: ['secrets'] };
const PODS = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };
const group = (name: string) =>
  ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name }) as const;
const ADMIN = {
  apiGroup: 'rbac.authorization.k8s.io',
  kind: 'ClusterRole',
  name: 'admin',
} as const;
const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1' } as const;
const metadata = { name: 'x', namespace: 'shop', labels: LABELS };

const open = (
  desired: ManagedObject | undefined,
  observed: ReturnType<typeof anObserved> | undefined,
  bindings: ReturnType<typeof anObserved>[] = [],
) => listOpenings({ desired, observed, rulesOf: () => [SECRETS], bindingsOf: () => bindings });
const sentences = (...input: Parameters<typeof open>) =>
  open(...input).map((each) => each.sentence);

describe('a binding', () => {
  const desired: ManagedObject = {
    ...rbac,
    kind: 'RoleBinding',
    metadata,
    roleRef: ADMIN,
    subjects: [group('hexabase:a')],
  };
  const observed = (roleRef: object, ...subjects: object[]) =>
    anObserved('RoleBinding', ['shop', 'x'], { roleRef, subjects, labels: LABELS });

  it('opens its role to whom it names beyond those it should', () => {
    expect(open(desired, observed(ADMIN, group('hexabase:a'), group('hexabase:b')))).toEqual([
      {
        sentence: 'Group hexabase:b may, by the ClusterRole admin in shop, get secrets',
        subject: { kind: 'Group', name: 'hexabase:b', namespace: null },
        namespace: 'shop',
        role: 'ClusterRole admin',
        rules: [{ ...SECRETS, resourceNames: [] }],
      },
    ]);
  });

  it('opens nothing by a subject that is missing, nor when it is gone', () => {
    expect(open(desired, observed(ADMIN))).toEqual([]);
    expect(open(desired, undefined)).toEqual([]);
  });

  it('of another role opens that to all', () => {
    const other = { ...ADMIN, name: 'cluster-admin' };
    expect(open(desired, observed(other, group('hexabase:a')))).toHaveLength(1);
  });

  it('of others opens what it gives, also in the whole cluster', () => {
    const foreign = anObserved('ClusterRoleBinding', [undefined, 'y'], {
      roleRef: ADMIN,
      subjects: [{ kind: 'ServiceAccount', name: 'ci', namespace: 'shop' }],
    });
    expect(open(undefined, foreign)).toMatchObject([
      { namespace: null, subject: { kind: 'ServiceAccount', name: 'ci', namespace: 'shop' } },
    ]);
  });
});

describe('a role', () => {
  const desired: ManagedObject = { ...rbac, kind: 'Role', metadata, rules: [PODS] };
  const widened = anObserved('Role', ['shop', 'x'], { rules: [PODS, SECRETS], labels: LABELS });
  const bound = anObserved('RoleBinding', ['shop', 'b'], { subjects: [group('hexabase:a')] });

  it('opens what it holds beyond what it should to those who have it', () => {
    expect(sentences(desired, widened, [bound])).toEqual([
      'Group hexabase:a may, by the Role x in shop, get secrets',
    ]);
    expect(open(desired, widened)).toEqual([]);
  });

  it('of the whole cluster may add to what others hold', () => {
    const labels = { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' };
    const role = anObserved('ClusterRole', [undefined, 'y'], { rules: [SECRETS], labels });
    expect(sentences(undefined, role)).toEqual([
      'Everyone who holds the ClusterRole view may get secrets',
    ]);
  });
});

describe('limits', () => {
  const desired: ManagedObject = {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata,
    spec: { hard: { pods: '10', cpu: '2' } },
  };
  const quota = (hard: object) =>
    anObserved('ResourceQuota', ['shop', 'x'], { spec: { hard }, labels: LABELS });

  it.each([
    [
      'raised',
      quota({ pods: '1k', cpu: '2' }),
      ['Up to 1k pods instead of 10 may be used in shop'],
    ],
    ['lowered', quota({ pods: '1', cpu: '2000m' }), []],
    ['left out', quota({ cpu: '2' }), ['Nothing limits pods in shop']],
    ['gone', undefined, ['Nothing limits what is used in shop']],
  ])('%s', (_name, observed, expected) => {
    expect(sentences(desired, observed)).toEqual(expected);
  });
});

describe('listDifferences', () => {
  const desired: ManagedObject = {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata,
    spec: { hard: { pods: '10', cpu: '2' } },
  };

  it('says what differs by meaning, and which of our labels', () => {
    const observed = anObserved('ResourceQuota', ['shop', 'x'], {
      spec: { hard: { pods: '11', cpu: '2000m' } },
      labels: { theirs: 'own' },
    });
    expect(listDifferences(desired, observed)).toEqual([
      { path: 'spec.hard.pods', before: '10', after: '11' },
      { path: `labels.${MANAGED_BY_LABEL}`, before: MANAGED_BY, after: null },
    ]);
  });

  it('of a list names the items that differ', () => {
    const role: ManagedObject = { ...rbac, kind: 'Role', metadata, rules: [PODS] };
    const observed = anObserved('Role', ['shop', 'x'], { rules: [PODS, SECRETS], labels: LABELS });
    expect(listDifferences(role, observed)).toEqual([
      { path: 'rules', before: [], after: [SECRETS] },
    ]);
  });

  it('is short enough to be kept, whatever it is about', () => {
    const hard = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`count/${i}`, `${i}`]));
    const rules = Array.from({ length: 500 }, () => ({
      ...SECRETS,
      resourceNames: ['"'.repeat(250)],
    }));
    const huge = anObserved('ResourceQuota', ['shop', 'x'], {
      spec: { hard },
      rules,
      labels: LABELS,
    });
    const differences = listDifferences(desired, huge);
    expect(differences).toHaveLength(13);
    expect(JSON.stringify(differences).length).toBeLessThan(65_536);
  });
});
