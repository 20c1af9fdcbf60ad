/** Keycloak's Admin REST API, as far as the tests change its world. */
import { Agent, fetch, type RequestInit } from 'undici';
import { CLIENT_ID, REALM } from './realm.ts';

/** What the tests do as an administrator of the realm. */
export type KeycloakAdmin = AsyncDisposable & {
  readonly isReady: () => Promise<boolean>;
  readonly createRealm: (realm: object) => Promise<void>;
  /** Sets the client's only redirect address. */
  readonly registerCallback: (redirectUri: string) => Promise<void>;
  readonly deleteUser: (username: string) => Promise<void>;
  readonly disableUser: (username: string) => Promise<void>;
  /** @param path as Keycloak writes it, e.g. `/platform/database` */
  readonly removeFromGroup: (username: string, path: string) => Promise<void>;
};

type AdminOptions = { readonly url: string; readonly ca: string; readonly password: string };

type Identified = { readonly id: string };
type Call = (method: string, path: string, body?: unknown) => Promise<unknown>;

/** Works once Keycloak is ready; asks for a token each time, because they live for a minute. */
export const createKeycloakAdmin = ({ url, ca, password }: AdminOptions): KeycloakAdmin => {
  const agent = new Agent({ connect: { ca } });
  const send = (path: string, init: RequestInit = {}) =>
    fetch(`${url}${path}`, { ...init, dispatcher: agent });
  const call: Call = async (method, path, body) => {
    const response = await send(`/admin/realms${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await fetchToken(send, password)}`,
        'content-type': 'application/json',
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  return {
    isReady: async () => (await send('/realms/master')).ok,
    createRealm: async (realm) => void (await call('POST', '', realm)),
    ...changes(call),
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
};

const fetchToken = async (
  send: (path: string, init: RequestInit) => ReturnType<typeof fetch>,
  password: string,
): Promise<string> => {
  const response = await send('/realms/master/protocol/openid-connect/token', {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'password',
      client_id: 'admin-cli',
      username: 'admin',
      password,
    }),
  });
  if (!response.ok) throw new Error(`no token for Keycloak's administrator: ${response.status}`);
  return ((await response.json()) as { access_token: string }).access_token;
};

const changes = (call: Call) => {
  const findUser = async (username: string): Promise<string> => {
    const query = new URLSearchParams({ username, exact: 'true' });
    const [user] = (await call('GET', `/${REALM}/users?${query}`)) as Identified[];
    if (!user) throw new Error(`Keycloak has no user ${username}`);
    return user.id;
  };
  return {
    registerCallback: async (redirectUri: string) => {
      const path = `/${REALM}/clients?clientId=${CLIENT_ID}`;
      const [client] = (await call('GET', path)) as Identified[];
      await call('PUT', `/${REALM}/clients/${client?.id}`, {
        ...client,
        redirectUris: [redirectUri],
      });
    },
    deleteUser: async (username: string) => {
      await call('DELETE', `/${REALM}/users/${await findUser(username)}`);
    },
    disableUser: async (username: string) => {
      await call('PUT', `/${REALM}/users/${await findUser(username)}`, { enabled: false });
    },
    removeFromGroup: async (username: string, path: string) => {
      const group = (await call('GET', `/${REALM}/group-by-path${path}`)) as Identified;
      const userId = await findUser(username);
      await call('DELETE', `/${REALM}/users/${userId}/groups/${group.id}`);
    },
  };
};
