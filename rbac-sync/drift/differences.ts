/** What of an object is other than it should be, field by field, short enough to be kept. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { DriftDifference } from '#domain/drift.ts';
import type { ManagedObject } from '#domain/kubernetes-objects.ts';
import { TREE_LABEL_SUFFIX } from '#domain/project-tree.ts';
import { equalQuantities } from '#domain/quantity.ts';
import type { ObservedObject } from '../cluster/object-store.ts';

/** As many as a row of the ledger holds, each value as JSON of at most so many characters. */
const LIMITS = { differences: 12, characters: 1000 } as const;

/** The fields that make an object what it is, beside its labels. */
export const CONTENT_FIELDS = ['roleRef', 'subjects', 'rules', 'aggregationRule', 'spec'] as const;

/** The differences in the fields that we own; values that are too long are cut, as text. */
export const listDifferences = (
  desired: ManagedObject | undefined,
  observed: ObservedObject | undefined,
): DriftDifference[] => {
  const before = toContent(desired);
  const after = toContent(observed);
  if (desired) {
    before['labels'] = desired.metadata.labels;
    if (observed) after['labels'] = ownLabels(desired, observed);
  }
  return compareContents(before, after);
};

/** The differences between fields by name; as short as a row of the ledger holds. */
export const compareContents = (before: Content, after: Content): DriftDifference[] => {
  const fields = new Set([...Object.keys(before), ...Object.keys(after)]);
  const all = [...fields].flatMap((field) => [...compare(field, before[field], after[field])]);
  const kept = all.slice(0, LIMITS.differences).map(toShort);
  const more = all.length - kept.length;
  if (more > 0) kept.push({ path: '…', before: null, after: `${more} more differences` });
  return kept;
};

/** An object's fields by name. */
export type Content = Record<string, unknown>;

const toContent = (object: ManagedObject | ObservedObject | undefined): Content => {
  const fields = (object ?? {}) as Content;
  const content: Content = {};
  // A namespace's spec is Kubernetes' own.
  if (object?.kind === 'Namespace') return content;
  for (const field of CONTENT_FIELDS) if (fields[field] != null) content[field] = fields[field];
  return content;
};

/** Labels of others are theirs, but the place in the tree is ours to say. */
const ownLabels = (desired: ManagedObject, observed: ObservedObject): Content =>
  Object.fromEntries(
    Object.entries(observed.metadata.labels ?? {}).filter(
      ([name]) => Object.hasOwn(desired.metadata.labels, name) || name.endsWith(TREE_LABEL_SUFFIX),
    ),
  );

function* compare(path: string, before: unknown, after: unknown): Generator<DriftDifference> {
  if (isSame(before, after)) return;
  if (Array.isArray(before) || Array.isArray(after)) {
    const [left, right] = [toList(before), toList(after)];
    const missing = (items: unknown[], others: unknown[]) =>
      items.filter((item) => !others.some((other) => isDeepStrictEqual(item, other)));
    yield { path, before: missing(left, right), after: missing(right, left) };
  } else if (isRecord(before) && isRecord(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      yield* compare(`${path}.${key}`, before[key], after[key]);
    }
  } else {
    yield { path, before: before ?? null, after: after ?? null };
  }
}

const isSame = (before: unknown, after: unknown): boolean =>
  isDeepStrictEqual(before ?? null, after ?? null) ||
  (typeof before === 'string' && typeof after === 'string' && equalQuantities(before, after));

const toList = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

const isRecord = (value: unknown): value is Content =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const toShort = ({ path, before, after }: DriftDifference): DriftDifference => ({
  path: path.slice(0, 400),
  before: shorten(before),
  after: shorten(after),
});

const shorten = (value: unknown): unknown => {
  const text = JSON.stringify(value);
  return text.length <= LIMITS.characters ? value : `${text.slice(0, LIMITS.characters)}…`;
};
