import { describe, expect, it } from 'vitest';
import {
  mayGiveOrganizationRole,
  mayInOrganization,
  mayInWorkspace,
  ORGANIZATION_ACTIONS,
  ORGANIZATION_ROLES,
  toWorkspaceRole,
  WORKSPACE_ACTIONS,
} from './permissions.ts';

describe('mayInOrganization', () => {
  it.each([
    ['owner', 'workspace:create', true],
    ['admin', 'workspace:create', true],
    ['billing', 'workspace:create', false],
    ['billing', 'organization:read', true],
    ['admin', 'organization:delete', false],
    ['admin', 'organization:transfer', false],
    ['billing', 'workspace:manage', false],
    [undefined, 'organization:read', false],
  ] as const)('says whether %s may %s', (role, action, expected) => {
    expect(mayInOrganization(role, action)).toBe(expected);
  });

  it('lets owners do everything, and admins and billing no more than owners', () => {
    for (const roles of Object.values(ORGANIZATION_ACTIONS)) expect(roles).toContain('owner');
  });
});

describe('mayInWorkspace', () => {
  it.each([
    ['admin', 'role-assignment:write', true],
    ['member', 'role-assignment:write', false],
    ['member', 'group:read', true],
    ['member', 'workspace:export', false],
    ['member', 'drift:list', false],
    ['admin', 'drift:list', true],
    ['member', 'workspace:diff', false],
    ['admin', 'workspace:diff', true],
    [undefined, 'workspace:read', false],
  ] as const)('says whether %s may %s', (role, action, expected) => {
    expect(mayInWorkspace(role, action)).toBe(expected);
  });

  it('lets members read and leave, and change nothing', () => {
    for (const [action, roles] of Object.entries(WORKSPACE_ACTIONS)) {
      const open = action.endsWith(':read') || action === 'member:leave';
      expect((roles as readonly string[]).includes('member'), action).toBe(open);
    }
  });
});

describe('mayGiveOrganizationRole', () => {
  it.each([
    ['owner', 'owner', true],
    ['owner', 'billing', true],
    ['admin', 'owner', false],
    ['admin', 'admin', true],
    ['admin', 'billing', true],
  ] as const)('says whether %s gives and takes %s', (giver, role, expected) => {
    expect(mayGiveOrganizationRole(giver, role)).toBe(expected);
  });

  it('lets billing give nothing', () => {
    for (const role of ORGANIZATION_ROLES) {
      expect(mayGiveOrganizationRole('billing', role)).toBe(false);
    }
  });
});

describe('toWorkspaceRole', () => {
  it('is admin through WSAdmins only', () => {
    expect(toWorkspaceRole(['WorkspaceMembers', 'WSAdmins'])).toBe('admin');
    expect(toWorkspaceRole(['WorkspaceMembers', 'WSUsers', 'wsadmins'])).toBe('member');
  });
});
