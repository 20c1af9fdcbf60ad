import { describe, expect, it } from 'vitest';
import type { Permission } from '../route.ts';
import { canBeForbidden, describePermission, toNeeds } from './permission.ts';

const CASES: readonly (readonly [Permission, string, boolean])[] = [
  ['public', 'Needs no token.', false],
  ['signed-in', 'Open to everyone who is signed in; shows what is theirs.', false],
  [{ platform: 'plan:write' }, 'Needs `plan:write`: platform administrators.', true],
  [
    { organization: 'organization:read' },
    'Needs `organization:read` in the organization: owner, admin, billing.',
    false,
  ],
  [
    { organization: 'organization:write' },
    'Needs `organization:write` in the organization: owner, admin.',
    true,
  ],
  [
    { organizationOfWorkspace: 'workspace:manage' },
    'Needs `workspace:manage` in the organization: owner, admin.',
    true,
  ],
  [{ workspace: 'group:read' }, 'Needs `group:read` in the workspace: every member.', false],
  [
    { workspace: 'group:write' },
    'Needs `group:write` in the workspace: members of WSAdmins.',
    true,
  ],
  [
    { workspace: 'workspace:write', orOrganization: 'workspace:manage' },
    'Needs `workspace:write` in the workspace: members of WSAdmins; or `workspace:manage` in the organization: owner, admin.',
    true,
  ],
];

describe('permissions in the reference', () => {
  it.each(CASES)('%j', (permission, text, forbidden) => {
    expect(describePermission(permission)).toBe(text);
    expect(canBeForbidden(permission)).toBe(forbidden);
  });

  it('are told to programs too', () => {
    expect(toNeeds('public')).toBe('public');
    expect(toNeeds({ workspace: 'workspace:read', orOrganization: 'organization:read' })).toEqual([
      { in: 'workspace', action: 'workspace:read', roles: ['member', 'admin'] },
      {
        in: 'organization',
        action: 'organization:read',
        roles: ['owner', 'admin', 'billing'],
      },
    ]);
  });
});
