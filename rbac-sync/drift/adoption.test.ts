import { describe, expect, it } from 'vitest';
import type { WorkspaceState } from '#domain/workspace-state.ts';
import { planAdoption } from './adoption.ts';
import { aFinding, anObserved } from './drift.fixture.ts';

const STATE: WorkspaceState = {
  workspaceId: 'w',
  organizationId: 'o',
  plan: { projectQuota: { pods: '10', cpu: '2' }, limitRange: [], networkPolicy: 'none' },
  projects: [{ id: 'p', name: 'shop', parentId: null, quota: null }],
  projectRoles: [{ id: 'r', projectId: 'p', name: 'deploy', rules: [] }],
  assignments: [],
};
const context = { state: STATE, groups: new Set(['devs', 'ops']) };
const group = (name: string) => ({ kind: 'Group', name: `hexabase:${name}` });
const role = (kind: string, name: string) => ({ kind, name });

const binding = (roleRef: object, subjects: readonly object[] | undefined, namespace = 'shop') =>
  planAdoption(
    aFinding({
      kind: 'RoleBinding',
      origin: 'foreign',
      change: 'created',
      namespace,
      observed: anObserved('RoleBinding', [namespace, 'x'], { roleRef, subjects }),
    }),
    context,
  );

describe('a binding of others', () => {
  it.each([
    ['admin', role('ClusterRole', 'admin'), { presetRole: 'workspace-admin', projectRoleId: null }],
    ['view', role('ClusterRole', 'view'), { presetRole: 'workspace-viewer', projectRoleId: null }],
    [
      'a role of the project',
      role('Role', 'hexabase:deploy'),
      { presetRole: null, projectRoleId: 'r' },
    ],
  ])('of %s is a role assignment', (_name, roleRef, expected) => {
    expect(binding(roleRef, [group('devs'), group('ops')])).toMatchObject({
      type: 'assignments',
      projectId: 'p',
      groups: ['devs', 'ops'],
      ...expected,
    });
  });

  const VIEW = role('ClusterRole', 'view');
  it.each([
    ['of another role', binding(role('ClusterRole', 'edit'), [group('devs')]), /ClusterRole edit/],
    [
      'of a role of the same name as a ClusterRole',
      binding(role('Role', 'admin'), [group('devs')]),
      /Role admin/,
    ],
    [
      'to a group that is not there',
      binding(VIEW, [group('devs'), group('nobody')]),
      /nobody is not a group/,
    ],
    [
      'to a group without the prefix',
      binding(VIEW, [{ kind: 'Group', name: 'devs' }]),
      /devs is not a group/,
    ],
    ['to a user', binding(VIEW, [{ kind: 'User', name: 'hexabase:devs' }]), /User hexabase:devs/],
    [
      'to a service account',
      binding(VIEW, [{ kind: 'ServiceAccount', name: 'ci' }]),
      /ServiceAccount ci/,
    ],
    ['to nobody', binding(VIEW, undefined), /nobody/],
    ['outside of projects', binding(VIEW, [group('devs')], 'default'), /not a project/],
  ])('%s is not', (_name, adoption, why) => {
    expect(adoption).toMatch(why);
  });
});

describe('a quota', () => {
  const quota = (hard: Record<string, string>, change: Parameters<typeof aFinding>[0] = {}) =>
    planAdoption(
      aFinding({
        observed: anObserved('ResourceQuota', ['shop', 'hexabase-plan'], { spec: { hard } }),
        ...change,
      }),
      context,
    );

  it('within the plan is the project’s own, by what differs', () => {
    expect(quota({ pods: '7', cpu: '2000m' })).toMatchObject({
      projectId: 'p',
      quota: { pods: '7' },
    });
  });

  it.each([
    ['beyond the plan', quota({ pods: '11', cpu: '2' }), /less of pods/],
    [
      'of what the plan does not limit',
      quota({ pods: '1', cpu: '1', services: '1' }),
      /less of services/,
    ],
    ['without what the plan limits', quota({ pods: '1' }), /limits cpu/],
    ['that is no quantity', quota({ pods: 'many', cpu: '2' }), /platform can hold/],
    ['that was deleted', quota({ pods: '7', cpu: '2' }, { change: 'deleted' }), /was deleted/],
  ])('%s is not', (_name, adoption, why) => {
    expect(adoption).toMatch(why);
  });
});
