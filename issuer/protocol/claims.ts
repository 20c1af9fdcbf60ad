/** Which claims there are, and what a person's are. */
import type { AccountClaims } from 'oidc-provider';
import { GRANT_CLAIM } from '#domain/authentication-configuration.ts';
import { GROUPS_CLAIM } from '#domain/group-name.ts';
import type { Person } from '../people/account.ts';
import type { Membership } from '../people/groups.ts';
import { hash } from '../storage/adapter.ts';

/** The claim that names the workspace again, for validation rules of a kube-apiserver. */
export const WORKSPACE_CLAIM = 'workspace';

/** Of no scope, so that it is in no token: how many seconds the groups hold, for the token's life. */
export const SECONDS_LEFT = 'seconds_left';

/**
 * The claims of each scope. Everything is under `openid`, because kubelogin asks for nothing else and a
 * forgotten scope must not cost anyone their groups.
 */
export const SCOPE_CLAIMS: Readonly<Record<string, readonly string[]>> = {
  openid: ['sub', 'name', 'email', 'email_verified', GROUPS_CLAIM, WORKSPACE_CLAIM, GRANT_CLAIM],
  profile: ['name'],
  email: ['email', 'email_verified'],
};

/** Whose claims, and for which client. */
export type ClaimSource = {
  readonly sub: string;
  readonly person: Person;
  readonly clientId: string | undefined;
  /** In the client's workspace; `undefined` when the client is not a workspace's. */
  readonly membership: Membership | undefined;
  /** Of the token that is at stake; `undefined` where none is. */
  readonly grantId?: string | undefined;
};

/** The claims; `groups` and `workspace` only for the client of that workspace. */
export const toClaims = ({
  sub,
  person,
  clientId,
  membership,
  grantId,
}: ClaimSource): AccountClaims => ({
  sub,
  name: person.display_name,
  ...(person.email !== null && { email: person.email, email_verified: person.email_verified }),
  ...(membership && {
    [GROUPS_CLAIM]: [...membership.groups],
    [WORKSPACE_CLAIM]: clientId,
    ...(grantId !== undefined && { [GRANT_CLAIM]: hash(grantId).toString('base64url') }),
    ...(membership.secondsLeft !== null && { [SECONDS_LEFT]: membership.secondsLeft }),
  }),
});
