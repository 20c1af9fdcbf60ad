import { describe, expect, it } from 'vitest';
import { diffQuota, listMisfits, type PlanLimits } from './plan-change.ts';

const plan: PlanLimits = {
  name: 'starter',
  retired: false,
  projectQuota: { pods: '20', 'limits.memory': '8Gi' },
  maxProjects: 2,
};
const project = (name: string, quota: Record<string, string> | null = null) => ({
  id: name,
  name,
  quota,
});

describe('listMisfits', () => {
  it.each([
    ['no projects', plan, []],
    ['as many projects as it allows', plan, [project('a'), project('b')]],
    ['a quota of the same value, written otherwise', plan, [project('a', { pods: '0.02k' })]],
    ['a quota below the plan’s', plan, [project('a', { 'limits.memory': '8G' })]],
  ])('finds none for %s', (_name, limits, projects) => {
    expect(listMisfits(limits, projects)).toEqual([]);
  });

  it('names each project and by how much it is beyond', () => {
    const projects = [
      project('a', { pods: '21', 'requests.cpu': '1' }),
      project('b'),
      project('c'),
    ];
    const misfits = listMisfits({ ...plan, retired: true }, projects);
    expect(
      misfits.map(({ reason, project: where, resource, has, allows }) => [
        reason,
        where?.name ?? null,
        resource,
        has,
        allows,
      ]),
    ).toEqual([
      ['plan-retired', null, null, null, null],
      ['too-many-projects', null, null, '3', '2'],
      ['quota-beyond-plan', 'a', 'pods', '21', '20'],
      ['quota-beyond-plan', 'a', 'requests.cpu', '1', null],
    ]);
    expect(misfits[1]?.detail).toContain('1 more than the 2');
  });
});

describe('diffQuota', () => {
  it('tells what comes, goes and changes in value, by name', () => {
    const from = { pods: '20', 'limits.memory': '8Gi', gone: '1', same: '1000m' };
    const to = { pods: '40', 'limits.memory': '8192Mi', fresh: '2', same: '1' };
    expect(diffQuota(from, to)).toEqual([
      { resource: 'fresh', from: null, to: '2' },
      { resource: 'gone', from: '1', to: null },
      { resource: 'pods', from: '20', to: '40' },
    ]);
  });
});
