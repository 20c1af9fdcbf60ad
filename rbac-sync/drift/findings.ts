/**
 * What in a cluster is not by us: objects of ours that are other than they were left, and roles and
 * bindings of others. Pure: decided from what the watches show.
 */
import { createHash } from 'node:crypto';
import {
  DRIFT_KINDS,
  type DriftChange,
  type DriftDifference,
  type DriftKind,
  type DriftOpening,
} from '#domain/drift.ts';
import { type ManagedObject, type RoleRef, toObjectKey } from '#domain/kubernetes-objects.ts';
import type { ObservedObject } from '../cluster/object-store.ts';
import { isAsDesired } from '../sync/equality.ts';
import { listDifferences } from './differences.ts';
import {
  describeAuthors,
  foreignManagers,
  isBuiltIn,
  isCompact,
  isManifest,
} from './object-origin.ts';
import { listOpenings } from './opened.ts';

/** One thing found. */
export type Finding = {
  /** See `toObjectKey`. */
  readonly key: string;
  readonly kind: DriftKind;
  readonly namespace: string | undefined;
  readonly name: string;
  /** Ours to put back, or somebody's own. */
  readonly origin: 'managed' | 'foreign';
  readonly change: DriftChange;
  readonly managers: readonly string[];
  /** When the API server says that it was changed, to the second. */
  readonly changedAt: Date | undefined;
  readonly differences: readonly DriftDifference[];
  readonly opened: readonly DriftOpening[];
  readonly observed: ObservedObject | undefined;
  readonly desiredHash: string | undefined;
};

/** What {@link listFindings} compares. */
export type FindingInput = {
  readonly desired: readonly ManagedObject[];
  /** Everything with our label, and what has lost it and was asked for by name. */
  readonly observed: readonly ObservedObject[];
  /** Roles and bindings without our label, and ClusterRoles. */
  readonly others: readonly ObservedObject[];
  /** What was last seen as it should be, by key; a difference from anything else is work of our own. */
  readonly settled: ReadonlyMap<string, ManagedObject>;
};

/** A short hash of what an object should be. */
export const toDesiredHash = (desired: ManagedObject): string =>
  createHash('sha256').update(JSON.stringify(desired)).digest('hex').slice(0, 16);

/** Everything found, ours first. */
export const listFindings = (input: FindingInput): Finding[] => {
  const lookup = createLookup(input);
  const gone = missingNamespaces(input);
  const isInGone = ({ kind, metadata }: ManagedObject) =>
    kind !== 'Namespace' && gone.has(metadata.namespace ?? '');
  const present = new Map(input.observed.map((object) => [toObjectKey(object), object]));
  const ours = input.desired
    .filter((object) => input.settled.has(toObjectKey(object)) && !isInGone(object))
    .filter((object) => isDeepEqualJson(object, input.settled.get(toObjectKey(object))))
    .flatMap((object) => toManaged(object, present.get(toObjectKey(object)), lookup));
  return [...ours, ...squatters(input, lookup), ...foreign(input, lookup)];
};

const isDeepEqualJson = (a: unknown, b: unknown): boolean =>
  a === b || JSON.stringify(a) === JSON.stringify(b);

type Lookup = Pick<Parameters<typeof listOpenings>[0], 'rulesOf' | 'bindingsOf'>;

const toManaged = (
  desired: ManagedObject,
  observed: ObservedObject | undefined,
  lookup: Lookup,
): Finding[] => {
  const leaving = observed?.metadata.deletionTimestamp !== undefined;
  if (observed && !leaving && isAsDesired(desired, observed)) return [];
  const change = !observed || leaving ? 'deleted' : 'modified';
  const found = leaving ? undefined : observed;
  return [toFinding({ desired, observed: found, change, origin: 'managed' }, lookup)];
};

/** Namespaces that are ours and not there: what was in them went along. */
const missingNamespaces = ({ desired, observed }: FindingInput): ReadonlySet<string> => {
  const there = new Set(
    observed
      .filter(({ kind, metadata }) => kind === 'Namespace' && !metadata.deletionTimestamp)
      .map(({ metadata }) => metadata.name),
  );
  return new Set(
    desired
      .filter(({ kind, metadata }) => kind === 'Namespace' && !there.has(metadata.name))
      .map(({ metadata }) => metadata.name),
  );
};

/** Objects with our label that nobody asked for, now or before: made by somebody to look like ours. */
const squatters = ({ desired, observed, settled }: FindingInput, lookup: Lookup): Finding[] => {
  if (settled.size === 0) return [];
  const wanted = new Set(desired.map(toObjectKey));
  return observed
    .filter((object) => !wanted.has(toObjectKey(object)) && !settled.has(toObjectKey(object)))
    .filter((object) => !object.metadata.deletionTimestamp && foreignManagers(object).length > 0)
    .map((object) =>
      toFinding(
        { desired: undefined, observed: object, change: 'created', origin: 'managed' },
        lookup,
      ),
    );
};

const foreign = ({ others, desired }: FindingInput, lookup: Lookup): Finding[] => {
  const wanted = new Set(desired.map(toObjectKey));
  return others
    .filter((object) => !isCompact(object) && !isBuiltIn(object) && !isManifest(object))
    .filter((object) => !object.metadata.deletionTimestamp && !wanted.has(toObjectKey(object)))
    .map((object) =>
      toFinding(
        { desired: undefined, observed: object, change: 'created', origin: 'foreign' },
        lookup,
      ),
    );
};

type Found = Pick<Finding, 'observed' | 'change' | 'origin'> & {
  readonly desired: ManagedObject | undefined;
};

const toFinding = (found: Found, lookup: Lookup): Finding => {
  const { desired, observed, change, origin } = found;
  const object = desired ?? observed;
  if (!object) throw new TypeError('a finding is about an object');
  const { kind, metadata } = object;
  if (!Object.hasOwn(DRIFT_KINDS, kind)) throw new TypeError(`no drift of a ${kind}`);
  return {
    key: toObjectKey(object),
    kind: kind as DriftKind,
    namespace: metadata.namespace,
    name: metadata.name,
    origin,
    change,
    ...describeAuthors(observed),
    differences: listDifferences(desired, observed),
    opened: listOpenings({ desired, observed, ...lookup }),
    observed,
    desiredHash: desired && toDesiredHash(desired),
  };
};

const createLookup = ({ observed, others }: FindingInput): Lookup => {
  const all = [...observed, ...others];
  const byKey = new Map(all.map((object) => [toObjectKey(object), object]));
  const bindings = Map.groupBy(
    all.filter((object) => object['roleRef'] !== undefined),
    (object) => roleKeyOf(object['roleRef'] as RoleRef, object.metadata.namespace),
  );
  return {
    rulesOf: (role, namespace) =>
      (byKey.get(roleKeyOf(role, namespace))?.['rules'] ?? []) as unknown[],
    bindingsOf: (role, namespace) => bindings.get(roleKeyOf(role, namespace)) ?? [],
  };
};

/** A ClusterRole is the same one in every namespace. */
const roleKeyOf = ({ kind, name }: RoleRef, namespace: string | undefined): string =>
  `${kind}/${kind === 'Role' ? (namespace ?? '') : ''}/${name}`;
