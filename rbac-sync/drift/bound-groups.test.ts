import { describe, expect, it } from 'vitest';
import { MANAGED_KINDS } from '../cluster/kubernetes-paths.ts';
import { createObjectStores } from '../cluster/object-store.ts';
import { listBoundGroups, othersBindings } from './bound-groups.ts';
import { anObserved } from './drift.fixture.ts';

const binding = (name: string, subjects: unknown) =>
  anObserved('RoleBinding', ['shop', name], { subjects });
const group = (name: string) => ({ kind: 'Group', name });

describe('listBoundGroups', () => {
  it('names each workspace group once, sorted, without prefix', () => {
    const bindings = [
      binding('one', [group('hexabase:b'), group('hexabase:B')]),
      binding('two', [group('hexabase:a'), group('hexabase:b')]),
    ];
    expect(listBoundGroups(bindings)).toEqual(['B', 'a', 'b']);
  });

  it.each([
    ['no subjects', undefined],
    ['others’ groups', [group('system:masters'), group('b'), group('HEXABASE:b')]],
    ['what no group is called', [group('hexabase:'), group('hexabase:a/b'), group('hexabase:a:b')]],
    ['a user', [{ kind: 'User', name: 'hexabase:b' }]],
    ['subjects of no shape', [{ kind: 'Group' }]],
  ])('names none for %s', (_name, subjects) => {
    expect(listBoundGroups([binding('x', subjects)])).toEqual([]);
  });
});

describe('othersBindings', () => {
  it('are those without our label, and ours that are left as others changed them', () => {
    const stores = createObjectStores(MANAGED_KINDS);
    const foreign = createObjectStores([
      'Role',
      'RoleBinding',
      'ClusterRole',
      'ClusterRoleBinding',
    ]);
    foreign.RoleBinding.put(binding('theirs', []));
    foreign.ClusterRoleBinding.put(anObserved('ClusterRoleBinding', [undefined, 'wide']));
    stores.RoleBinding.put(binding('ours', []));
    stores.RoleBinding.put(binding('changed', []));
    const names = othersBindings({ foreign, stores }, new Set(['RoleBinding/shop/changed']));
    expect(names.map(({ metadata }) => metadata.name)).toEqual(['theirs', 'wide', 'changed']);
  });
});
