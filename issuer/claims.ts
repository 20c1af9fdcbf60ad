/** Which claims there are, and what a person's are. */
import type { AccountClaims } from 'oidc-provider';
import { GROUPS_CLAIM } from '#domain/group-name.ts';
import type { Person } from './account.ts';

/** The claim that names the workspace again, for validation rules of a kube-apiserver. */
export const WORKSPACE_CLAIM = 'workspace';

/**
 * The claims of each scope. Everything is under `openid`, because kubelogin asks for nothing else and a
 * forgotten scope must not cost anyone their groups.
 */
export const SCOPE_CLAIMS: Readonly<Record<string, readonly string[]>> = {
  openid: ['sub', 'name', 'email', 'email_verified', GROUPS_CLAIM, WORKSPACE_CLAIM],
  profile: ['name'],
  email: ['email', 'email_verified'],
};

/** Whose claims, and for which client. */
export type ClaimSource = {
  readonly sub: string;
  readonly person: Person;
  readonly clientId: string | undefined;
  /** The groups in the client's workspace; `undefined` when the client is not a workspace's. */
  readonly groups: readonly string[] | undefined;
};

/** The claims; `groups` and `workspace` only for the client of that workspace. */
export const toClaims = ({ sub, person, clientId, groups }: ClaimSource): AccountClaims => ({
  sub,
  name: person.display_name,
  ...(person.email !== null && { email: person.email, email_verified: person.email_verified }),
  ...(groups && { [GROUPS_CLAIM]: [...groups], [WORKSPACE_CLAIM]: clientId }),
});
