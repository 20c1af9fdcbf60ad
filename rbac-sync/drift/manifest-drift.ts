/**
 * Whether what bootstrap has installed is still so: our fields by meaning, and whatever was added beside them
 * that changes what they do. What the API server fills in, and what a controller aggregates, is no difference. Pure.
 */
import { isDeepStrictEqual } from 'node:util';
import { DRIFT_KINDS, type DriftKind, type DriftOpening } from '#domain/drift.ts';
import { MANAGED_BY_LABEL, toObjectKey } from '#domain/kubernetes-objects.ts';
import type { Manifest } from '../bootstrap/manifests.ts';
import type { ObservedObject } from '../cluster/object-store.ts';
import { CONTENT_FIELDS, type Content, compareContents } from './differences.ts';
import type { Finding } from './findings.ts';
import { describeAuthors } from './object-origin.ts';

/** What the API server fills in where nothing is said (admissionregistration.k8s.io/v1). */
const DEFAULTS: Readonly<Content> = {
  matchPolicy: 'Equivalent',
  failurePolicy: 'Fail',
  scope: '*',
};

/** What differs of one object; `undefined` when nothing does, or when the ledger has no such kind. */
export const findManifestDrift = (
  manifest: Manifest,
  observed: ObservedObject | undefined,
): Finding | undefined => {
  const { kind, metadata } = manifest;
  if (!Object.hasOwn(DRIFT_KINDS, kind)) return undefined;
  const there = observed?.metadata.deletionTimestamp ? undefined : observed;
  const wanted = toContent(manifest, manifest);
  const found = there ? toContent(manifest, there) : {};
  if (there && isDeepStrictEqual(wanted, found)) return undefined;
  return {
    key: toObjectKey(manifest),
    kind: kind as DriftKind,
    namespace: metadata.namespace,
    name: metadata.name,
    origin: 'managed',
    change: there ? 'modified' : 'deleted',
    ...describeAuthors(there),
    differences: compareContents(wanted, found),
    opened: listOpened(manifest, wanted, there && found),
    observed: there,
    desiredHash: undefined,
  };
};

/** An operation of a JSON Patch (RFC 6902). */
export type Correction = {
  readonly op: 'add' | 'remove';
  readonly path: string;
  readonly value?: unknown;
};

/** What still has to be changed after the manifest was applied: what others have put beside our fields. */
export const listCorrections = (manifest: Manifest, applied: ObservedObject): Correction[] => {
  const wanted = toContent(manifest, manifest);
  const found = toContent(manifest, applied);
  const fields = CONTENT_FIELDS.filter(
    (field) => !isDeepStrictEqual(wanted[field], found[field]),
  ).map(
    (field): Correction =>
      Object.hasOwn(wanted, field)
        ? { op: 'add', path: `/${field}`, value: manifest[field] }
        : { op: 'remove', path: `/${field}` },
  );
  const ours = wanted['labels'] as Content;
  const labels = Object.keys(found['labels'] as Content)
    .filter((name) => !Object.hasOwn(ours, name))
    .map((name): Correction => ({ op: 'remove', path: `/metadata/labels/${toPointer(name)}` }));
  return [...fields, ...labels];
};

/** As RFC 6901 has it. */
const toPointer = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

const toContent = (manifest: Manifest, object: Manifest | ObservedObject): Content => {
  const content: Content = { labels: toLabels(manifest, object) };
  for (const field of manifest.kind === 'Namespace' ? [] : CONTENT_FIELDS) {
    // The rules of a role that aggregates are its controller's.
    if (field === 'rules' && manifest['aggregationRule']) continue;
    const value = object[field];
    if (value == null || (Array.isArray(value) && value.length === 0)) continue;
    content[field] = withoutDefaults(value);
  }
  return content;
};

/** Labels of others are theirs, but for those that make an object ours or add its rules to another's. */
const toLabels = (manifest: Manifest, object: Manifest | ObservedObject): Content => {
  const ours = labelsOf(manifest);
  return Object.fromEntries(
    Object.entries(labelsOf(object)).filter(
      ([name]) =>
        Object.hasOwn(ours, name) || name === MANAGED_BY_LABEL || name.includes('aggregate-to-'),
    ),
  );
};

const labelsOf = ({ metadata }: Manifest | ObservedObject): Content =>
  (metadata['labels'] ?? {}) as Content;

const withoutDefaults = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutDefaults);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .filter(([name, each]) => DEFAULTS[name] !== each)
    .map(([name, each]) => [name, withoutDefaults(each)] as const)
    .filter(([, each]) => !isNothing(each));
  return Object.fromEntries(entries);
};

/** What is left out, null and empty mean the same in every field that we have. */
const isNothing = (value: unknown): boolean =>
  value == null || (typeof value === 'object' && Object.keys(value).length === 0);

const listOpened = (
  { kind, metadata: { name } }: Manifest,
  wanted: Content,
  found: Content | undefined,
): DriftOpening[] => {
  if (kind.startsWith('ValidatingAdmissionPolicy')) {
    return [toOpening(`What the policy ${name} refuses may not be refused`)];
  }
  const isOther = (field: string) => found && !isDeepStrictEqual(wanted[field], found[field]);
  if (isOther('rules') || isOther('aggregationRule') || isOther('labels')) {
    return [
      toOpening(`Whoever is bound to the ${kind} ${name} may do other things than they should`),
    ];
  }
  if (isOther('subjects') || isOther('roleRef')) {
    return [toOpening(`The ${kind} ${name} gives other rights than it should, or to others`)];
  }
  return [];
};

const toOpening = (sentence: string): DriftOpening => ({
  sentence,
  subject: null,
  namespace: null,
  role: null,
  rules: [],
});
