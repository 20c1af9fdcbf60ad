/**
 * A cluster as far as the rules of Kubernetes matter to synchronization, and workspaces of every shape:
 * for property tests.
 */
import fc from 'fast-check';
import { desiredState } from '#domain/desired-state.ts';
import { type ManagedObject, toObjectKey } from '#domain/kubernetes-objects.ts';
import type { Assignment, WorkspaceState } from '#domain/workspace-state.ts';
import type { ObservedObject } from '../cluster/object-store.ts';
import { type Access, allows, type Rule } from './rules.ts';
import type { Write } from './stages.ts';
import { indexGrants } from './verify.ts';

const idOf = (n: number) => `01940000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
const NAMES = ['a', 'b', 'c', 'd'];
const RESOURCES = ['pods', 'secrets', 'services'];
/** Groups that something is given to, as Kubernetes sees them. */
export const GROUPS: readonly string[] = ['hexabase:x', 'hexabase:y', 'hexabase:WSAdmins'];

const read = (...resources: string[]): Rule => ({ apiGroups: [''], resources, verbs: ['get'] });
/** What the ClusterRoles allow, in small. */
export const CLUSTER_ROLES: ReadonlyMap<string, readonly Rule[]> = new Map([
  ['admin', [read('pods', 'secrets', 'services')]],
  ['view', [read('pods', 'services')]],
  ['hexabase:workspace-viewer', [read('pods', 'services')]],
  ['hexabase:workspace-admin', [read('namespaces')]],
]);

/** A workspace in few numbers. */
type Shape = {
  /** Of each project. */
  readonly parents: readonly (number | null)[];
  readonly roles: readonly {
    readonly home: number;
    readonly name: string;
    readonly covers: number;
  }[];
  readonly grants: readonly { readonly group: number; readonly kind: number; readonly n: number }[];
  readonly networkPolicy: 'none' | 'isolate';
  readonly cpu: string;
};

const anyShape: fc.Arbitrary<Shape> = fc.record({
  parents: fc.array(fc.option(fc.nat(3)), { maxLength: NAMES.length }),
  roles: fc.uniqueArray(
    fc.record({ home: fc.nat(3), name: fc.constantFrom('r', 's'), covers: fc.nat(7) }),
    { maxLength: 6, selector: ({ home, name }) => `${home}/${name}` },
  ),
  grants: fc.array(fc.record({ group: fc.nat(2), kind: fc.nat(5), n: fc.nat(5) }), {
    maxLength: 10,
  }),
  networkPolicy: fc.constantFrom('none', 'isolate'),
  cpu: fc.constantFrom('1500m', '1.5', '2'),
});

/** A tree of projects, roles with some rules, and what is given to whom. */
const toWorkspace = ({ parents, roles, grants, networkPolicy, cpu }: Shape): WorkspaceState => {
  const projects = parents.map((parent, n) => ({
    id: idOf(n),
    name: NAMES[n] ?? '',
    parentId: parent !== null && parent < n ? idOf(parent) : null,
    quota: n === 1 ? { pods: '3' } : null,
  }));
  const projectRoles = roles.filter(({ home }) => home < projects.length).map(toProjectRole);
  return {
    workspaceId: idOf(900),
    organizationId: idOf(901),
    plan: {
      projectQuota: { pods: '10', 'requests.cpu': cpu },
      limitRange: [{ type: 'Container', default: { cpu }, max: { memory: '1Gi' } }],
      networkPolicy,
    },
    projects,
    projectRoles,
    assignments: grants.map((each) => toAssignment(each, projectRoles)),
  };
};

type Role = WorkspaceState['projectRoles'][number];

const toProjectRole = ({ home, name, covers }: { home: number; name: string; covers: number }) => ({
  id: idOf(100 + home * 10 + name.charCodeAt(0)),
  projectId: idOf(home),
  name,
  rules: RESOURCES.filter((_, bit) => covers & (1 << bit)).map((resource) => ({
    apiGroups: [''],
    resources: [resource],
    verbs: ['get'],
  })),
});

const toAssignment = (
  { group, kind, n }: { group: number; kind: number; n: number },
  roles: readonly Role[],
): Assignment => {
  const groupName = (GROUPS[group] ?? '').replace('hexabase:', '');
  const role = roles[n];
  if (kind > 2 && role) {
    return { groupName, presetRole: null, projectId: role.projectId, projectRoleId: role.id };
  }
  const presetRole = kind % 2 === 0 ? 'workspace-admin' : 'workspace-viewer';
  return { groupName, presetRole, projectId: n < 2 ? null : idOf(n - 2), projectRoleId: null };
};

/** Any workspace. */
export const anyWorkspace: fc.Arbitrary<WorkspaceState> = anyShape.map(toWorkspace);

/** Any workspace's desired state. */
export const anyDesired: fc.Arbitrary<ManagedObject[]> = anyWorkspace.map(desiredState);

/** The desired states before and after a change, which leaves much as it was or nothing. */
export const anyChange: fc.Arbitrary<[ManagedObject[], ManagedObject[]]> = fc
  .tuple(anyShape, anyShape, fc.nat(15), fc.array(fc.nat(7), { maxLength: 6 }), fc.nat(9))
  .map(([before, other, taken, covers, dropped]) => {
    const roles = before.roles.map((role, n) => ({ ...role, covers: covers[n] ?? role.covers }));
    const after = {
      ...(taken & 1 ? other : before),
      parents: taken & 2 ? other.parents : before.parents,
      roles: taken & 4 ? other.roles : roles,
      grants: taken & 8 ? other.grants : before.grants.filter((_, n) => n !== dropped),
    };
    return [desiredState(toWorkspace(before)), desiredState(toWorkspace(after))];
  });

let version = 0;
/** As the API server holds an object: with what it adds, defaults and rewrites. */
export const observe = (object: ManagedObject): ObservedObject => {
  version += 1;
  const { metadata, ...rest } = structuredClone(object) as ObservedObject & ManagedObject;
  const added = { uid: `uid-${version}`, resourceVersion: `${version}`, creationTimestamp: 'now' };
  return { ...rest, metadata: { ...metadata, ...added }, ...toServed(object) };
};

const toServed = (object: ManagedObject): object => {
  if (object.kind === 'ResourceQuota') {
    const cpu = object.spec.hard['requests.cpu'] === '2' ? '2' : '1500m';
    return { spec: { hard: { ...object.spec.hard, 'requests.cpu': cpu } }, status: { used: {} } };
  }
  if (object.kind === 'Role' && object.rules.length === 0) return { rules: null };
  if (object.kind !== 'LimitRange') return {};
  const [limits] = object.spec.limits;
  const defaults = { ...limits?.max, ...limits?.default };
  return { spec: { limits: [{ ...limits, default: defaults, defaultRequest: defaults }] } };
};

/** The objects by key. */
export type Cluster = Map<string, ObservedObject>;

/** A cluster that holds these. */
export const clusterOf = (objects: readonly ObservedObject[]): Cluster =>
  new Map(objects.map((object) => [toObjectKey(object), object]));

const namespaceIn = (cluster: Cluster, name: string) =>
  cluster.get(toObjectKey({ kind: 'Namespace', metadata: { name } }));

/** Does what the API server would. @throws Error when it would refuse */
export const carryOut = (cluster: Cluster, write: Write): void => {
  const key = toObjectKey(write.object);
  if (write.operation === 'delete') {
    cluster.delete(key);
    if (write.object.kind !== 'Namespace') return;
    for (const [each, { metadata }] of cluster) {
      if (metadata.namespace === write.object.metadata.name) cluster.delete(each);
    }
    return;
  }
  const { object } = write;
  const existing = cluster.get(key);
  const { namespace } = object.metadata;
  const home = namespace === undefined ? undefined : namespaceIn(cluster, namespace);
  if (namespace !== undefined && !home) throw new Error(`${key}: there is no such namespace`);
  if (!existing && home?.metadata.deletionTimestamp)
    throw new Error(`${key}: the namespace is terminating`);
  if (existing && 'roleRef' in object && refOf(existing['roleRef']) !== refOf(object.roleRef)) {
    throw new Error(`${key}: a roleRef can't be changed`);
  }
  const { metadata, ...rest } = observe(object);
  const labels = { ...existing?.metadata.labels, ...metadata.labels };
  // Apply takes away the labels that it gave and gives no more.
  for (const name of Object.keys(labels)) if (!metadata.labels?.[name]) delete labels[name];
  cluster.set(key, { ...rest, metadata: { ...metadata, labels } });
};

const refOf = (roleRef: unknown): string => {
  const { kind, name } = roleRef as { kind: string; name: string };
  return `${kind}/${name}`;
};

/** Everything that groups may do now, as `group namespace resource`. */
export const listRights = (cluster: Cluster): ReadonlySet<string> => {
  const { byScope } = indexGrants([...cluster.values()], CLUSTER_ROLES);
  const rights = new Set<string>();
  const everywhere = byScope.get('') ?? [];
  for (const namespace of NAMES) {
    const grants = [...everywhere, ...(byScope.get(namespace) ?? [])];
    for (const resource of [...RESOURCES, 'namespaces']) {
      const access: Access = { verb: 'get', group: '', resource };
      for (const { rules, groups } of grants) {
        if (!allows(rules, access)) continue;
        for (const group of groups) rights.add(`${group} ${namespace} ${resource}`);
      }
    }
  }
  return rights;
};
