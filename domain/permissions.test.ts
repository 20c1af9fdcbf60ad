import { describe, expect, it } from 'vitest';
import { mayInOrganization, mayInWorkspace, toWorkspaceRole } from './permissions.ts';

describe('mayInOrganization', () => {
  it.each([
    ['owner', 'workspace:create', true],
    ['admin', 'workspace:create', true],
    ['billing', 'workspace:create', false],
    ['billing', 'organization:read', true],
    [undefined, 'organization:read', false],
  ] as const)('says whether %s may %s', (role, action, expected) => {
    expect(mayInOrganization(role, action)).toBe(expected);
  });
});

describe('mayInWorkspace', () => {
  it.each([
    ['admin', 'role-assignment:write', true],
    ['member', 'role-assignment:write', false],
    ['member', 'group:read', true],
    [undefined, 'workspace:read', false],
  ] as const)('says whether %s may %s', (role, action, expected) => {
    expect(mayInWorkspace(role, action)).toBe(expected);
  });
});

describe('toWorkspaceRole', () => {
  it('is admin through WSAdmins only', () => {
    expect(toWorkspaceRole(['WorkspaceMembers', 'WSAdmins'])).toBe('admin');
    expect(toWorkspaceRole(['WorkspaceMembers', 'WSUsers', 'wsadmins'])).toBe('member');
  });
});
