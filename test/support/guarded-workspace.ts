/** A workspace on a real kube-apiserver that asks a real issuer whether sign-ins were revoked. */
import { randomBytes } from 'node:crypto';
import type { TrustedIssuer } from '#domain/authentication-configuration.ts';
import type { KubernetesClient } from '../../rbac-sync/cluster/kubernetes-client.ts';
import { KubernetesError } from '../../rbac-sync/cluster/kubernetes-error.ts';
import {
  createPerson,
  createWorkspace,
  type TestWorkspace,
} from '../integration/issuer/tenancy-rows.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { startTestIssuer, TEST_PASSWORD, type TestIssuer } from './issuer.ts';
import { connectTestCluster, createTestProvisionerFor, type TestCluster } from './kube.ts';
import { signInWithCode, type Tokens } from './oidc-client.ts';

/** What there is; disposal stops all of it. */
export type GuardedWorkspace = AsyncDisposable & {
  readonly database: TestDatabase;
  readonly issuer: TestIssuer;
  readonly authorizationKey: Buffer;
  readonly workspace: TestWorkspace;
  readonly cluster: TestCluster;
  /** For good. */
  readonly stopIssuer: () => Promise<void>;
  /** Somebody new, who is in the group that may see the namespaces. */
  readonly someone: () => Promise<Someone>;
};

/** A person who can sign in. */
export type Someone = {
  /** UUID */
  readonly id: string;
  readonly username: string;
  readonly signIn: () => Promise<Tokens>;
};

/** The group whose members may see namespaces. */
export const READERS = 'readers';

/** What may be otherwise. */
export type GuardedWorkspaceOptions = {
  /** How many people can be made by `someone`. */
  readonly people?: number;
  /** Something between the cluster and the issuer, which the cluster asks instead. */
  readonly between?: (issuer: TestIssuer) => Promise<TrustedIssuer>;
  /** Whether the cluster asks at all; it does by default. */
  readonly asks?: boolean;
};

/** Resolves when the cluster answers. */
export const startGuardedWorkspace = async ({
  people = 8,
  between,
  asks = true,
}: GuardedWorkspaceOptions = {}): Promise<GuardedWorkspace> => {
  await using cleanup = new AsyncDisposableStack();
  const database = cleanup.use(await createTestDatabase());
  const authorizationKey = randomBytes(32);
  const usernames = Array.from({ length: people }, (_, index) => `someone-${index}`);
  const issuer = cleanup.use(
    await startTestIssuer(
      database,
      usernames.map((username) => ({ username })),
      { authorizationKey },
    ),
  );
  const trusted = { url: issuer.issuerUrl, certificateAuthority: issuer.ca };
  const asked = between ? await between(issuer) : trusted;
  const planes = cleanup.use(
    await createTestProvisionerFor(trusted, {
      authorization: asks ? { issuer: asked, key: authorizationKey } : undefined,
    }),
  );
  const workspace = await createWorkspace(database);
  const readers = await workspace.addGroup(READERS);
  const cluster = cleanup.use(await connectTestCluster(planes, workspace.id));
  await letReadersRead(cluster.root);
  const resources = cleanup.move();
  return {
    database,
    issuer,
    authorizationKey,
    workspace,
    cluster,
    someone: async () => {
      const username = usernames.pop();
      if (username === undefined) throw new Error('there are no more people');
      const id = await createPerson(database, username);
      await workspace.addMember(id, readers);
      const { issuerUrl, ca } = issuer;
      const who = { issuerUrl, ca, clientId: workspace.clientId, username };
      return { id, username, signIn: () => signInWithCode({ ...who, password: TEST_PASSWORD }) };
    },
    stopIssuer: async () => issuer[Symbol.asyncDispose](),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
};

/** Lets the group see namespaces. */
export const letReadersRead = async (root: KubernetesClient): Promise<void> => {
  const path = '/apis/rbac.authorization.k8s.io/v1';
  const rules = [{ apiGroups: [''], resources: ['namespaces'], verbs: ['get', 'list'] }];
  await root.request(`${path}/clusterroles`, {
    method: 'POST',
    body: { metadata: { name: READERS }, rules },
  });
  await root.request(`${path}/clusterrolebindings`, {
    method: 'POST',
    body: {
      metadata: { name: READERS },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: READERS },
      subjects: [
        { apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: `hexabase:${READERS}` },
      ],
    },
  });
};

/** What the API server says to a token that asks for the namespaces: 200, 401, 403. */
export const statusOf = async (client: KubernetesClient, path = '/api/v1/namespaces') =>
  client.request(path).then(
    () => 200,
    (error: unknown) => {
      if (error instanceof KubernetesError) return error.status;
      throw error;
    },
  );
