/**
 * Which questions to the API server prove that a change is in force: for each grant that was given,
 * something that it allows; for each that was taken away, something that nothing else still allows.
 * Pure; run-verification.ts asks them.
 */
import { type ManagedObject, type RoleRef, toObjectKey } from '#domain/kubernetes-objects.ts';
import { type Access, allows, listAccesses, type Rule } from './rules.ts';

/** A SubjectAccessReview to ask, and the answer that proves the change. */
export type Probe = {
  /** As Kubernetes sees it, with the prefix. */
  readonly group: string;
  /** `undefined`: in the whole cluster. */
  readonly namespace: string | undefined;
  readonly access: Access;
  readonly allowed: boolean;
};

/** A Role or a binding, desired or observed. */
export type RbacObject = {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string | undefined };
  readonly rules?: unknown;
  readonly roleRef?: unknown;
  readonly subjects?: unknown;
};

/** What {@link planVerification} compares. */
export type VerificationInput = {
  readonly before: readonly RbacObject[];
  readonly after: readonly ManagedObject[];
  /** Keys of the objects that were changed, of `before` and `after`. */
  readonly changed: ReadonlySet<string>;
  /** The rules of the ClusterRoles that bindings refer to, by name. */
  readonly clusterRoles: ReadonlyMap<string, readonly Rule[]>;
};

/** A binding is one object and comes into force as a whole: a few of its groups prove it. */
const GROUPS_A_BINDING = 4;
/** Enough to find what tells two roles apart. */
const CANDIDATES = 2000;

/** What to ask, and which bindings' answers may be old. */
export type Verification = {
  /** Each once; none when no right changed. */
  readonly probes: readonly Probe[];
  /** Keys of the bindings that changed, themselves or by their Role. */
  readonly unsettled: ReadonlySet<string>;
};

/** Plans the proof of a change. */
export const planVerification = (input: VerificationInput): Verification => {
  const before = indexGrants(input.before, input.clusterRoles);
  const after = indexGrants(input.after, input.clusterRoles);
  const probes = new Map<string, Probe>();
  const unsettled = changedBindings(input.changed, before, after);
  for (const key of unsettled) {
    for (const probe of probeBinding(key, before, after)) {
      probes.set(JSON.stringify(probe), probe);
    }
  }
  return { probes: [...probes.values()], unsettled };
};

/** Several plans towards the same state as one, each probe once. */
export const joinVerifications = (plans: readonly Verification[]): Verification => {
  const probes = plans.flatMap((plan) => plan.probes);
  return {
    probes: [...new Map(probes.map((probe) => [JSON.stringify(probe), probe])).values()],
    unsettled: new Set(plans.flatMap((plan) => [...plan.unsettled])),
  };
};

/** A binding with what it gives. */
export type Grant = {
  readonly namespace: string | undefined;
  readonly role: string;
  readonly groups: readonly string[];
  readonly rules: readonly Rule[];
};

/** The grants of one state of the cluster. */
export type Grants = {
  readonly byKey: ReadonlyMap<string, Grant>;
  /** By namespace; those of the whole cluster under ''. */
  readonly byScope: ReadonlyMap<string, readonly Grant[]>;
};

/** What the bindings among these objects give. */
export const indexGrants = (
  objects: readonly RbacObject[],
  clusterRoles: VerificationInput['clusterRoles'],
): Grants => {
  const roles = new Map(
    objects
      .filter(({ kind }) => kind === 'Role')
      .map((role) => [toObjectKey(role), (role.rules ?? []) as readonly Rule[]]),
  );
  const byKey = new Map<string, Grant>();
  for (const object of objects) {
    if (object.roleRef === undefined) continue;
    const { namespace } = object.metadata;
    const roleRef = object.roleRef as RoleRef;
    const role = toObjectKey({ kind: 'Role', metadata: { name: roleRef.name, namespace } });
    byKey.set(toObjectKey(object), {
      namespace,
      role,
      groups: ((object.subjects ?? []) as { name: string }[]).map(({ name }) => name),
      rules: (roleRef.kind === 'Role' ? roles.get(role) : clusterRoles.get(roleRef.name)) ?? [],
    });
  }
  return { byKey, byScope: Map.groupBy(byKey.values(), ({ namespace }) => namespace ?? '') };
};

/** Bindings that changed themselves or whose Role did. */
const changedBindings = (
  changed: ReadonlySet<string>,
  ...states: readonly Grants[]
): Set<string> => {
  const keys = new Set<string>();
  for (const { byKey } of states) {
    for (const [key, { role }] of byKey) {
      if (changed.has(key) || changed.has(role)) keys.add(key);
    }
  }
  return keys;
};

const probeBinding = (key: string, before: Grants, after: Grants): Probe[] => {
  const [old, now] = [before.byKey.get(key), after.byKey.get(key)];
  const namespace = (now ?? old)?.namespace;
  const gained = (now?.groups ?? []).flatMap((group) => {
    const had = old?.groups.includes(group) ? old.rules : [];
    return probeGained({ group, namespace, had, has: now?.rules ?? [] }, before);
  });
  const lost = (old?.groups ?? []).flatMap((group) =>
    probeLost({ group, namespace, rules: old?.rules ?? [] }, after),
  );
  return [...sample(gained), ...sample(lost)];
};

const sample = (probes: readonly Probe[]): readonly Probe[] =>
  probes.length <= GROUPS_A_BINDING
    ? probes
    : [...probes.slice(0, GROUPS_A_BINDING - 1), ...probes.slice(-1)];

/** Everything that a group may do in a scope. */
const rulesOf = ({ byScope }: Grants, group: string, namespace: string | undefined): Rule[] =>
  ['', ...(namespace === undefined ? [] : [namespace])]
    .flatMap((scope) => byScope.get(scope) ?? [])
    .filter(({ groups }) => groups.includes(group))
    .flatMap(({ rules }) => rules);

/** The first access that the rules give and these others don't. */
const findAccess = (
  rules: readonly Rule[],
  ...others: readonly (readonly Rule[])[]
): Access | undefined => {
  let count = 0;
  for (const access of listAccesses(rules)) {
    if (!others.some((other) => allows(other, access))) return access;
    count += 1;
    if (count === CANDIDATES) return undefined;
  }
  return undefined;
};

type Gain = {
  readonly group: string;
  readonly namespace: string | undefined;
  readonly had: readonly Rule[];
  readonly has: readonly Rule[];
};

/** Best is what the group could not do at all before; else anything that the grant itself brings. */
const probeGained = ({ group, namespace, had, has }: Gain, before: Grants): Probe[] => {
  const access = findAccess(has, had, rulesOf(before, group, namespace)) ?? findAccess(has, had);
  return access ? [{ group, namespace, access, allowed: true }] : [];
};

/** Nothing to ask when other grants still allow all of it. */
const probeLost = (
  loss: { group: string; namespace: string | undefined; rules: readonly Rule[] },
  after: Grants,
): Probe[] => {
  const { group, namespace, rules } = loss;
  const access = findAccess(rules, rulesOf(after, group, namespace));
  return access ? [{ group, namespace, access, allowed: false }] : [];
};
