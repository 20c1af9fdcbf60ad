import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toRoleName } from './grants.ts';
import { GroupName, toKubernetesGroup } from './group-name.ts';
import { ProjectRoleName } from './policy-rule.ts';
import { ProjectName } from './project-name.ts';
import { toTreeLabels } from './project-tree.ts';

/** Short names of few characters, so that pairs come close to each other. */
const nearby = (isName: (text: string) => boolean) =>
  fc
    .string({ unit: fc.constantFrom('a', 'b', '-', '.', ':', '0'), minLength: 1, maxLength: 5 })
    .filter(isName);
const roleName = nearby((text) => ProjectRoleName.safeParse(text).success);
const projectName = nearby((text) => ProjectName.safeParse(text).success);
const groupName = nearby((text) => GroupName.safeParse(text).success);

describe('the names of objects tell apart what they are of', () => {
  it('roles, own and of projects above', () => {
    const origin = fc.tuple(roleName, fc.option(projectName, { nil: undefined }));
    fc.assert(
      fc.property(origin, origin, (one, other) => {
        expect(toRoleName(...one) === toRoleName(...other)).toBe(
          JSON.stringify(one) === JSON.stringify(other),
        );
      }),
      { numRuns: 2000 },
    );
  });

  it('groups', () => {
    fc.assert(
      fc.property(groupName, groupName, (one, other) => {
        expect(toKubernetesGroup(one) === toKubernetesGroup(other)).toBe(one === other);
      }),
      { numRuns: 2000 },
    );
  });

  it('projects above a namespace', () => {
    fc.assert(
      fc.property(fc.uniqueArray(projectName), (names) => {
        expect(Object.keys(toTreeLabels(names))).toHaveLength(names.length);
      }),
    );
  });
});
