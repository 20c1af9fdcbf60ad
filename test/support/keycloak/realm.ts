/** The realm of the tests, as Keycloak's RealmRepresentation. */

/** A user with a password; group paths as Keycloak writes them, e.g. `/platform/database`. */
export type KeycloakUser = {
  readonly username: string;
  readonly password: string;
  readonly email: string;
  readonly emailVerified: boolean;
  readonly firstName: string;
  readonly lastName: string;
  readonly groups: readonly string[];
};

/** The realm's name. */
export const REALM = 'acme';

/** The client that the issuer is. */
export const CLIENT_ID = 'hexabase';

const GROUPS_MAPPER = {
  name: 'groups',
  protocol: 'openid-connect',
  protocolMapper: 'oidc-group-membership-mapper',
  config: {
    'claim.name': 'groups',
    'full.path': 'true',
    'id.token.claim': 'true',
    'access.token.claim': 'false',
    'userinfo.token.claim': 'true',
  },
};

/** The realm with the client, these users, and the groups that they are in. */
export const toRealm = (users: readonly KeycloakUser[], clientSecret: string): object => ({
  realm: REALM,
  enabled: true,
  sslRequired: 'all',
  clients: [
    {
      clientId: CLIENT_ID,
      secret: clientSecret,
      publicClient: false,
      standardFlowEnabled: true,
      directAccessGrantsEnabled: false,
      redirectUris: [],
      attributes: { 'pkce.code.challenge.method': 'S256' },
      protocolMappers: [GROUPS_MAPPER],
    },
  ],
  groups: toGroups(users.flatMap(({ groups }) => groups)),
  users: users.map(({ password, ...user }) => ({
    ...user,
    enabled: true,
    // What every user gets who isn't imported; it lets them have refresh tokens that outlive a session.
    realmRoles: [`default-roles-${REALM}`],
    credentials: [{ type: 'password', value: password, temporary: false }],
  })),
});

type Group = { name: string; subGroups: Group[] };

const toGroups = (paths: readonly string[]): readonly Group[] => {
  const root: Group = { name: '', subGroups: [] };
  for (const path of paths) {
    let parent = root;
    for (const name of path.split('/').slice(1)) {
      const known = parent.subGroups.find((group) => group.name === name);
      const group = known ?? { name, subGroups: [] };
      if (!known) parent.subGroups.push(group);
      parent = group;
    }
  }
  return root.subGroups;
};
