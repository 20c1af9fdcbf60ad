/**
 * The kubelogin matrix: what `kubectl oidc-login` meets in its life, by each of its ways to sign in, against a
 * real kube-apiserver. By the test client that makes the plugin's calls; and by the plugin, where it is there.
 */
import { randomBytes } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateAuthority } from '#runtime/certificates.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { letReadersRead, READERS, statusOf } from '../../support/guarded-workspace.ts';
import { startTestIssuer, TEST_PASSWORD, type TestIssuer } from '../../support/issuer.ts';
import {
  connectTestCluster,
  createTestProvisionerFor,
  type TestCluster,
} from '../../support/kube.ts';
import {
  type CreateLogin,
  createTestLogin,
  type KubectlLogin,
  type LoginGrant,
} from '../../support/kubectl-login.ts';
import { findKubelogin } from '../../support/kubelogin.ts';
import { poll } from '../../support/poll.ts';
import { createPerson, createWorkspace, type TestWorkspace } from './tenancy-rows.ts';

const GRANTS: readonly LoginGrant[] = ['authcode', 'device-code'];
const PEOPLE = Array.from({ length: 40 }, (_, index) => `person-${index}`);
const cleanup = new AsyncDisposableStack();
const kubelogin = await findKubelogin(cleanup);
const encryptionKey = randomBytes(32);
const authority = await createCertificateAuthority('test kubelogin');
let database: TestDatabase;
let issuer: TestIssuer;
let workspace: TestWorkspace;
let other: TestWorkspace;
let cluster: TestCluster;
let planes: Awaited<ReturnType<typeof createTestProvisionerFor>>;
/** May see the namespaces of the cluster; and a group that gives nothing. */
let [readers, team] = ['', ''];

const startIssuer = (port = 0) => {
  const accounts = PEOPLE.map((username) => ({ username }));
  return startTestIssuer(database, accounts, { encryptionKey, authority, port });
};

/** A workspace on an API server of its own, with a group that may see the namespaces. */
type Guarded = AsyncDisposable & {
  readonly workspace: TestWorkspace;
  readonly cluster: TestCluster;
  readonly readers: string;
};

const startCluster = async (): Promise<Guarded> => {
  const made = await createWorkspace(database);
  const group = await made.addGroup(READERS);
  const connected = await connectTestCluster(planes, made.id);
  await letReadersRead(connected.root);
  return {
    workspace: made,
    cluster: connected,
    readers: group,
    [Symbol.asyncDispose]: () => connected[Symbol.asyncDispose](),
  };
};

beforeAll(async () => {
  database = cleanup.use(await createTestDatabase());
  issuer = await startIssuer();
  cleanup.defer(() => issuer[Symbol.asyncDispose]());
  const trusted = { url: issuer.issuerUrl, certificateAuthority: issuer.ca };
  planes = cleanup.use(await createTestProvisionerFor(trusted));
  ({ workspace, cluster, readers } = cleanup.use(await startCluster()));
  other = await createWorkspace(database, 'Other');
  team = await workspace.addGroup('team');
}, 120_000);
afterAll(() => cleanup.disposeAsync());

/** Somebody new with a plugin of their own; in the group that may see namespaces. */
type Person = { readonly id: string; readonly login: KubectlLogin; readonly loginTo: LoginTo };
type LoginTo = (workspace: TestWorkspace) => Promise<KubectlLogin>;

const newPerson = async (createLogin: CreateLogin, grant: LoginGrant): Promise<Person> => {
  const username = PEOPLE[people++] ?? '';
  const id = await createPerson(database, username);
  await workspace.addMember(id, readers);
  const { issuerUrl, ca } = issuer;
  const loginTo: LoginTo = ({ clientId }) =>
    createLogin({ issuerUrl, ca, clientId, grant, username, password: TEST_PASSWORD });
  return { id, login: await loginTo(workspace), loginTo };
};
let people = 0;

const statusWith = (token: string) => statusOf(cluster.withToken(token));
const groupsOf = (token: string) => decodeJwt(token)['groups'];

type Row = readonly [name: string, check: (person: Person) => Promise<void>];

const ROWS: readonly Row[] = [
  [
    'first login: a token with the groups, which the cluster takes; the next command asks nobody',
    async ({ login }) => {
      const token = await login.getToken();
      expect(groupsOf(token)).toEqual(['readers']);
      expect(await statusWith(token)).toBe(200);
      expect(await login.getToken()).toBe(token);
      expect(login.signIns()).toBe(1);
    },
  ],
  [
    'silent refresh with changed groups',
    async ({ id, login }) => {
      const before = await login.getToken();
      await workspace.addMember(id, team);
      await workspace.leaveGroup(id, readers);
      const after = await login.getToken('force-refresh');
      expect(groupsOf(after)).toEqual(['team']);
      expect([await statusWith(before), await statusWith(after)]).toEqual([200, 403]);
      await workspace.addMember(id, readers);
      const again = await login.getToken('force-refresh');
      expect(groupsOf(again)).toEqual(['readers', 'team']);
      expect(await statusWith(again)).toBe(200);
      expect(login.signIns()).toBe(1);
    },
  ],
  [
    'refresh after removal from the workspace: no token, by a new sign-in neither; back again, by one',
    async ({ id, login }) => {
      await login.getToken();
      await workspace.removeMember(id);
      await expect(login.getToken('force-refresh')).rejects.toThrow();
      expect(login.signIns()).toBe(2);
      await workspace.addMember(id, readers);
      expect(await statusWith(await login.getToken('force-refresh'))).toBe(200);
    },
  ],
  [
    'two kubectl at once with one cache, and with a copy of it: nobody signs in again',
    async ({ login }) => {
      await login.getToken();
      const copy = await login.copy();
      const tokens = await Promise.all([
        login.getToken('force-refresh'),
        login.getToken('force-refresh'),
        copy.getToken('force-refresh'),
      ]);
      expect(await Promise.all(tokens.map(statusWith))).toEqual([200, 200, 200]);
      const later = [await login.getToken('force-refresh'), await copy.getToken('force-refresh')];
      expect(await Promise.all(later.map(statusWith))).toEqual([200, 200]);
      expect([login.signIns(), copy.signIns()]).toEqual([1, 0]);
    },
  ],
  [
    'expired refresh token: a new sign-in, and on from there',
    async ({ id, login }) => {
      const before = await login.getToken();
      await database.query(
        "UPDATE oidc_artifact SET expires_at = now() - interval '1 minute' WHERE model = 'RefreshToken' AND account_id = $1",
        [id],
      );
      const after = await login.getToken('force-refresh');
      expect(decodeJwt(after)['grant']).not.toBe(decodeJwt(before)['grant']);
      expect(await statusWith(after)).toBe(200);
      await login.getToken('force-refresh');
      expect(login.signIns()).toBe(2);
    },
  ],
  [
    'wrong workspace: no token for those who are no members, and none that another one’s cluster takes',
    async ({ id, loginTo }) => {
      const login = await loginTo(other);
      await expect(login.getToken()).rejects.toThrow();
      await other.addMember(id);
      const token = await login.getToken();
      expect(decodeJwt(token)['aud']).toBe(other.clientId);
      expect(await statusWith(token)).toBe(401);
    },
  ],
  [
    'issuer down: what is valid works on, a refresh fails at once and loses nothing, and goes on after',
    async ({ login }) => {
      const before = await login.getToken();
      const { port } = new URL(issuer.issuerUrl);
      await issuer[Symbol.asyncDispose]();
      try {
        expect(await login.getToken()).toBe(before);
        expect(await statusWith(before)).toBe(200);
        for (let attempt = 0; attempt < 3; attempt += 1) {
          await expect(login.getToken('force-refresh')).rejects.toThrow();
        }
      } finally {
        issuer = await startIssuer(Number(port));
      }
      const after = await login.getToken('force-refresh');
      expect(decodeJwt(after)['grant']).toBe(decodeJwt(before)['grant']);
      expect(await statusWith(after)).toBe(200);
      expect(login.signIns()).toBe(1);
    },
  ],
];

const LOGINS: readonly (readonly [string, CreateLogin])[] = [
  ['the calls of kubectl oidc-login', createTestLogin],
  ...(kubelogin ? [['the plugin on the PATH', kubelogin] as const] : []),
];

describe.each(LOGINS)('%s', (_name, createLogin) => {
  describe.each(GRANTS)('%s', (grant) => {
    it.each(ROWS)(
      '%s',
      async (_row, check) => {
        await check(await newPerson(createLogin, grant));
      },
      90_000,
    );
  });
});

const CELLS = LOGINS.flatMap(([name, createLogin]) =>
  GRANTS.map((grant) => ({ name, grant, createLogin })),
);
const kidOf = (token: string) => decodeProtectedHeader(token).kid;

/** Time passes for the keys: the next one has long been published, and the current one has signed for long. */
const rotateKeys = () =>
  database.query(
    "UPDATE signing_key SET state_since = state_since - interval '31 days' WHERE state <> 'retired'",
  );

// Last, and each with an API server that has read the next key: in real life that takes it a minute.
describe('key rotated in between', () => {
  it.each(CELLS)(
    '$name, $grant: tokens of both keys work, and nobody signs in again',
    async ({ grant, createLogin }) => {
      await using fresh = await startCluster();
      const { id, loginTo } = await newPerson(createLogin, grant);
      await fresh.workspace.addMember(id, fresh.readers);
      const login = await loginTo(fresh.workspace);
      const before = await login.getToken();
      expect(await statusOf(fresh.cluster.withToken(before))).toBe(200);
      await rotateKeys();
      const after = await poll('a token by another key', async () => {
        const token = await login.getToken('force-refresh');
        return kidOf(token) !== kidOf(before) && token;
      });
      for (const token of [before, after]) {
        expect(await statusOf(fresh.cluster.withToken(token))).toBe(200);
      }
      expect(login.signIns()).toBe(1);
    },
    90_000,
  );
});
