/**
 * The open connections to workspaces' clusters: a client as the sync identity, and a store of each
 * kind that its watches keep warm, so that a reconcile lists nothing.
 */
import * as z from 'zod';
import {
  MANAGED_BY,
  MANAGED_BY_LABEL,
  type ManagedKind,
  type ManagedObject,
} from '#domain/kubernetes-objects.ts';
import type { Logger } from '#runtime/log.ts';
import { compactBuiltIn } from '../drift/object-origin.ts';
import type { Rule } from '../sync/rules.ts';
import { createKubernetesClient, type KubernetesClient } from './kubernetes-client.ts';
import { MANAGED_KINDS, toCollectionPath, type WatchedKind } from './kubernetes-paths.ts';
import {
  createObjectStore,
  createObjectStores,
  type ObjectStore,
  type ObservedObject,
} from './object-store.ts';
import { type Reflector, startReflector } from './reflector.ts';

/** How to reach a cluster. */
export type ClusterAccess = {
  readonly server: string;
  readonly certificateAuthority: string;
  /** The IP address to connect to; by default the server's name is resolved. */
  readonly address?: string | undefined;
  readonly token: string;
  readonly expiresAt: Date;
};

/** A cluster that we are connected to. */
export type WorkspaceCluster = AsyncDisposable & {
  readonly client: KubernetesClient;
  /** Our labelled objects. */
  readonly stores: Readonly<Record<ManagedKind, ObjectStore>>;
  /** Roles and bindings of others, with those of Kubernetes as no more than their names. */
  readonly foreign: Readonly<Record<ForeignKind, ObjectStore>>;
  /** Admission policies and their bindings, ours and others'. */
  readonly policies: readonly ObjectStore[];
  /** What was last seen as it should be, by key; none at all when we have just connected. */
  settled: Map<string, ManagedObject> | undefined;
  /** What of the drift ledger is on record, by key: a hash of what was written. */
  readonly recorded: Map<string, string>;
  /** Which groups others' bindings name, as it is on record; none at all when we have just connected. */
  boundGroups: string | undefined;
  /** The rules of the ClusterRoles that we bind, by name. */
  readonly clusterRoles: ReadonlyMap<string, readonly Rule[]>;
  /**
   * What was changed and is not yet proven in force, by key, as it was before; `undefined` for what
   * was not there. No map at all: we have just connected and don't know what those before us proved.
   */
  unproven: Map<string, ObservedObject | undefined> | undefined;
  readonly access: () => ClusterAccess;
  /** Goes on with another token of the same identity. */
  readonly renew: (token: Pick<ClusterAccess, 'token' | 'expiresAt'>) => void;
};

const FOREIGN_KINDS = ['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding'] as const;

/** The kinds that others make and that give rights. */
export type ForeignKind = (typeof FOREIGN_KINDS)[number];

/** What {@link connectCluster} needs. */
export type ConnectOptions = {
  readonly access: ClusterAccess;
  readonly onChange: () => void;
  readonly log: Logger;
};

/** Which objects are ours, and which aren't, as label selectors. */
export const SELECTORS = {
  ours: `${MANAGED_BY_LABEL}=${MANAGED_BY}`,
  others: `${MANAGED_BY_LABEL}!=${MANAGED_BY}`,
} as const;

const POLICY_KINDS = ['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'] as const;
const CLUSTER_ROLES = ['admin', 'view', 'hexabase:workspace-admin', 'hexabase:workspace-viewer'];
const SYNC_MS = 30_000;

/**
 * Connects, and resolves when every store is complete.
 *
 * @throws KubernetesError when the token isn't accepted; Error when the lists take over 30 seconds
 */
export const connectCluster = async (options: ConnectOptions): Promise<WorkspaceCluster> => {
  let { access } = options;
  await using cleanup = new AsyncDisposableStack();
  const client = cleanup.use(
    createKubernetesClient({
      server: access.server,
      certificateAuthority: access.certificateAuthority,
      address: access.address,
      credential: { token: () => access.token },
    }),
  );
  const clusterRoles = await readClusterRoles(client);
  const stores = createObjectStores(MANAGED_KINDS);
  const foreign = createObjectStores(FOREIGN_KINDS);
  const reflect = (kind: WatchedKind, labelSelector: string, store: ObjectStore): Reflector =>
    cleanup.use(
      startReflector({
        client,
        path: toCollectionPath(kind),
        kind,
        labelSelector,
        store,
        transform: compactBuiltIn,
        onChange: options.onChange,
        log: options.log,
      }),
    );
  const reflectors = MANAGED_KINDS.map((kind) => reflect(kind, SELECTORS.ours, stores[kind]));
  reflectors.push(
    reflect('Role', SELECTORS.others, foreign.Role),
    reflect('RoleBinding', SELECTORS.others, foreign.RoleBinding),
    reflect('ClusterRoleBinding', SELECTORS.others, foreign.ClusterRoleBinding),
    // Our presets have our label and are no objects of sync's.
    reflect('ClusterRole', '', foreign.ClusterRole),
  );
  const policies = POLICY_KINDS.map((kind) => {
    const store = createObjectStore();
    reflectors.push(reflect(kind, '', store));
    return store;
  });
  await within(SYNC_MS, Promise.all(reflectors.map(({ synced }) => synced)));
  const resources = cleanup.move();
  return {
    client,
    stores,
    foreign,
    policies,
    settled: undefined,
    recorded: new Map(),
    boundGroups: undefined,
    clusterRoles,
    unproven: undefined,
    access: () => access,
    renew: (token) => {
      access = { ...access, ...token };
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
};

const ClusterRole = z.object({
  rules: z
    .array(
      z.object({
        verbs: z.array(z.string()),
        apiGroups: z.array(z.string()).optional(),
        resources: z.array(z.string()).optional(),
        resourceNames: z.array(z.string()).optional(),
      }),
    )
    .nullish(),
});

const readClusterRoles = async (
  client: KubernetesClient,
): Promise<ReadonlyMap<string, readonly Rule[]>> => {
  const entries = CLUSTER_ROLES.map(async (name): Promise<[string, readonly Rule[]]> => {
    const path = `/apis/rbac.authorization.k8s.io/v1/clusterroles/${encodeURIComponent(name)}`;
    const { rules } = ClusterRole.parse(await client.request(path));
    return [name, (rules ?? []) as readonly Rule[]];
  });
  return new Map(await Promise.all(entries));
};

const within = async (ms: number, work: Promise<unknown>): Promise<void> => {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no complete list after ${ms} ms`)), ms);
  try {
    await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
};
