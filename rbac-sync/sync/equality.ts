/**
 * Whether an object in a cluster is as we want it: the fields that we own, by meaning. What the API
 * server adds, rewrites or defaults is not a difference.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ManagedObject } from '#domain/kubernetes-objects.ts';
import type { LimitRangeItem } from '#domain/plan.ts';
import { TREE_LABEL_SUFFIX } from '#domain/project-tree.ts';
import { equalQuantities } from '#domain/quantity.ts';
import type { ObservedObject } from '../cluster/object-store.ts';

/** Whether applying the desired object would change nothing. */
export const isAsDesired = (desired: ManagedObject, observed: ObservedObject): boolean =>
  hasLabels(desired, observed) && hasContent(desired, observed);

const hasLabels = ({ metadata }: ManagedObject, observed: ObservedObject): boolean =>
  Object.entries(metadata.labels).every(
    ([name, value]) => observed.metadata.labels?.[name] === value,
  );

/** One of a former ancestor: labels of others are theirs, but the place in the tree is ours to say. */
const hasStaleTreeLabel = ({ metadata }: ManagedObject, observed: ObservedObject): boolean =>
  Object.keys(observed.metadata.labels ?? {}).some(
    (name) => name.endsWith(TREE_LABEL_SUFFIX) && !Object.hasOwn(metadata.labels, name),
  );

const hasContent = (desired: ManagedObject, observed: ObservedObject): boolean => {
  switch (desired.kind) {
    case 'Namespace':
      return !hasStaleTreeLabel(desired, observed);
    case 'ResourceQuota':
      return equalAmounts(desired.spec.hard, fieldOf(observed['spec'], 'hard'));
    case 'LimitRange':
      return equalLimits(desired.spec.limits, fieldOf(observed['spec'], 'limits'));
    case 'NetworkPolicy':
      return isDeepStrictEqual(desired.spec, observed['spec']);
    case 'Role':
      // The API server answers an empty list as null or not at all.
      return isDeepStrictEqual(desired.rules, observed['rules'] ?? []);
    default:
      return (
        hasRoleRef(desired, observed) &&
        isDeepStrictEqual(desired.subjects, observed['subjects'] ?? [])
      );
  }
};

/** Whether a binding gives the role that it should; a roleRef can't be changed, only replaced. */
export const hasRoleRef = (
  desired: Extract<ManagedObject, { roleRef: unknown }>,
  observed: ObservedObject,
): boolean => isDeepStrictEqual(desired.roleRef, observed['roleRef']);

const fieldOf = (value: unknown, field: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, field) : undefined;

type Amounts = Readonly<Record<string, string>>;

/** The same resources, each with a quantity of the same value ("1000m" is "1"). */
const equalAmounts = (desired: Amounts, observed: unknown): boolean => {
  const actual = Object.entries((observed ?? {}) as Amounts);
  return (
    actual.length === Object.keys(desired).length &&
    actual.every(([name, quantity]) => equalQuantities(desired[name] ?? '', `${quantity}`))
  );
};

const AMOUNTS = ['default', 'defaultRequest', 'max', 'min', 'maxLimitRequestRatio'] as const;

const equalLimits = (desired: readonly LimitRangeItem[], observed: unknown): boolean => {
  const actual = (Array.isArray(observed) ? observed : []) as Record<string, unknown>[];
  return (
    actual.length === desired.length &&
    desired.map(withDefaults).every((item, i) => {
      const other = actual[i] ?? {};
      return (
        other['type'] === item['type'] &&
        AMOUNTS.every((field) => equalAmounts((item[field] ?? {}) as Amounts, other[field]))
      );
    })
  );
};

/**
 * What the API server makes of a container's limits: the default limit is the maximum, and the
 * default request is the default limit or else the minimum (SetDefaults_LimitRangeItem).
 */
const withDefaults = (item: LimitRangeItem): Record<string, unknown> => {
  if (item.type !== 'Container') return item;
  const limit = { ...item.max, ...item.default };
  return {
    ...item,
    default: limit,
    defaultRequest: { ...item.min, ...limit, ...item.defaultRequest },
  };
};
