/**
 * Which rights a change takes for good and which it only gives in another way. The first go before
 * anything else; of the second nothing goes before what replaces it is there, so that who is entitled
 * before and after is never refused in between. Pure.
 */
import {
  type GroupSubject,
  type ManagedObject,
  type Role,
  type RoleBinding,
  toObjectKey,
} from '#domain/kubernetes-objects.ts';
import { PolicyRule, refuseRules } from '#domain/policy-rule.ts';
import type { ObservedObject } from '../cluster/object-store.ts';
import { hasRoleRef } from './equality.ts';
import { covers, type Rule } from './rules.ts';

/** What is written for one object, in this order; what is left out is not written. */
export type Steps = {
  /** Less than it was: what goes for good. */
  readonly revoke?: ManagedObject;
  /** What is new, with what something else has yet to replace. */
  readonly expand?: ManagedObject;
  /** Its own form, once everything that replaces something is there. */
  readonly contract?: ManagedObject;
};

/** A binding as it should be. */
export type Binding = Extract<ManagedObject, { roleRef: unknown }>;

/** Whether an object binds a role. */
export const isBinding = (object: ManagedObject): object is Binding => 'roleRef' in object;

/** Whether objects of a kind bind a role. */
export const isBindingKind = (kind: string): kind is Binding['kind'] =>
  kind === 'RoleBinding' || kind === 'ClusterRoleBinding';

/** Observed objects by `toObjectKey`. */
export type Present = ReadonlyMap<string, ObservedObject>;

/** Something that a group gets: where (a namespace; '' everywhere) and by which object. */
type Gain = { readonly scope: string; readonly source: string };

/** By group. */
export type Gains = ReadonlyMap<string, readonly Gain[]>;

/** A right that a group loses by a change of one object. */
export type Loss = Gain & { readonly group: string };

/** The names of an observed binding's subjects. */
export const subjectsOf = (object: ObservedObject | undefined): string[] =>
  ((object?.['subjects'] ?? []) as RoleBinding['subjects']).map(({ name }) => name);

const rulesOf = (object: ObservedObject | undefined): readonly Rule[] =>
  (object?.['rules'] ?? []) as readonly Rule[];

const scopeOf = ({ metadata }: ManagedObject | ObservedObject): string => metadata.namespace ?? '';

const roleKeyOf = (binding: ManagedObject | ObservedObject): string => {
  const { kind, name } = ('roleRef' in binding ? binding.roleRef : {}) as Binding['roleRef'];
  return toObjectKey({ kind, metadata: { name, namespace: binding.metadata.namespace } });
};

/** Who gets something new, by bindings that gain subjects and by roles that gain rules. */
export const collectGains = (
  changed: readonly ManagedObject[],
  desired: readonly ManagedObject[],
  present: Present,
): Gains => {
  const gains = new Map<string, Gain[]>();
  const add = (object: ManagedObject, names: Iterable<string>) => {
    const gain = { scope: scopeOf(object), source: toObjectKey(object) };
    for (const name of names) gains.set(name, [...(gains.get(name) ?? []), gain]);
  };
  const bindings = Map.groupBy(desired.filter(isBinding), roleKeyOf);
  for (const object of changed) {
    const existing = present.get(toObjectKey(object));
    if (object.kind === 'Role' && existing && !covers(rulesOf(existing), object.rules)) {
      const holders = bindings.get(toObjectKey(object)) ?? [];
      add(object, new Set(holders.flatMap(({ subjects }) => subjects.map(({ name }) => name))));
    }
    // One that has to be made anew gives nothing until the old one is gone.
    if (!isBinding(object) || (existing && !hasRoleRef(object, existing))) continue;
    const before = new Set(subjectsOf(existing));
    add(
      object,
      object.subjects.map(({ name }) => name).filter((name) => !before.has(name)),
    );
  }
  return gains;
};

/** Whether the group gets something else where it loses this, so that the one may replace the other. */
export const isReplaced = (gains: Gains, { group, scope, source }: Loss): boolean =>
  (gains.get(group) ?? []).some(
    (gain) => gain.source !== source && (gain.scope === scope || gain.scope === '' || scope === ''),
  );

/** What a change is judged by. */
export type Situation = { readonly present: Present; readonly gains: Gains };

/** How a changed object is written. */
export const planSteps = (object: ManagedObject, situation: Situation): Steps => {
  const existing = situation.present.get(toObjectKey(object));
  if (existing && isBinding(object) && hasRoleRef(object, existing)) {
    return planBinding(object, existing, situation.gains);
  }
  if (existing && object.kind === 'Role') return planRole(object, existing, situation);
  return { expand: object };
};

const planBinding = (object: Binding, existing: ObservedObject, gains: Gains): Steps => {
  const [scope, source] = [scopeOf(object), toObjectKey(object)];
  const wanted = new Set(object.subjects.map(({ name }) => name));
  const had = (existing['subjects'] ?? []) as readonly GroupSubject[];
  const lost = had.filter(({ name }) => !wanted.has(name));
  const replaced = lost.filter(
    (subject) => isOurs(subject) && isReplaced(gains, { group: subject.name, scope, source }),
  );
  const kept = object.subjects.filter(({ name }) => had.some((each) => each.name === name));
  const grows = kept.length < object.subjects.length;
  const withSubjects = (subjects: readonly GroupSubject[]): Binding => ({
    ...object,
    subjects: subjects.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  });
  if (replaced.length === 0 && !grows) return { revoke: object };
  return {
    ...(lost.length > replaced.length && { revoke: withSubjects([...kept, ...replaced]) }),
    ...(replaced.length === 0
      ? { expand: object }
      : {
          ...(grows && { expand: withSubjects([...object.subjects, ...replaced]) }),
          contract: object,
        }),
  };
};

/** A binding that goes as soon as something replaces it, without those who get nothing instead. */
export const planRemoval = (object: ObservedObject, gains: Gains): [string, Steps][] => {
  const { kind } = object;
  if (!isBindingKind(kind)) return [];
  const [scope, source] = [scopeOf(object), toObjectKey(object)];
  const had = (object['subjects'] ?? []) as readonly GroupSubject[];
  const subjects = had.filter(
    (each) => isOurs(each) && isReplaced(gains, { group: each.name, scope, source }),
  );
  if (subjects.length === had.length) return [];
  const { name, namespace, labels = {} } = object.metadata;
  const revoke = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind,
    metadata: { name, ...(namespace !== undefined && { namespace }), labels },
    roleRef: object['roleRef'] as Binding['roleRef'],
    subjects,
  } as const;
  return [[source, { revoke }]];
};

/** Others were put there past us: they go at once. */
const isOurs = ({ kind, name }: GroupSubject): boolean =>
  kind === 'Group' && name.startsWith('hexabase:');

const planRole = (object: Role, existing: ObservedObject, { present, gains }: Situation): Steps => {
  const had = rulesOf(existing);
  const [narrows, widens] = [!covers(object.rules, had), !covers(had, object.rules)];
  if (!narrows) return { expand: object };
  const [scope, source] = [scopeOf(object), toObjectKey(object)];
  const replaced = [...present.values()]
    .filter((each) => each['roleRef'] !== undefined && roleKeyOf(each) === source)
    .flatMap(subjectsOf)
    .some((group) => isReplaced(gains, { group, scope, source }));
  if (!replaced) return widens ? { expand: object } : { revoke: object };
  const rules = PolicyRule.array().safeParse(had);
  // Rules that no project role can have were put there past us: they go at once.
  if (!rules.success || refuseRules(rules.data).length > 0) {
    return { expand: object };
  }
  return {
    ...(widens && { expand: { ...object, rules: [...rules.data, ...object.rules] } }),
    contract: object,
  };
};
