/** What a reader of a workspace should know besides its conditions, in sentences without full stops. Pure. */
import { type ManagedObject, toObjectKey } from '#domain/kubernetes-objects.ts';
import type { ObservedObject } from './object-store.ts';

/** The names of our namespaces that are wanted no more and that Kubernetes is not done with. */
export const listLeaving = (
  namespaces: Iterable<ObservedObject>,
  desired: readonly ManagedObject[],
): string[] => {
  const wanted = new Set(desired.map(toObjectKey));
  return Array.from(namespaces)
    .filter((each) => each.metadata.deletionTimestamp !== undefined)
    .filter((each) => !wanted.has(toObjectKey(each)))
    .map(({ metadata }) => metadata.name)
    .sort();
};

/** @param leaving names of namespaces */
export const describeLeaving = (leaving: readonly string[]): string[] =>
  leaving.map((name) => `The namespace ${name} is still being deleted`);

const LONGEST_LIST = 10;

/** The RoleBindings in projects that tenants made: theirs to make, and worth knowing. */
export const describeForeign = (
  foreignBindings: Iterable<ObservedObject>,
  desired: readonly ManagedObject[],
): string[] => {
  const projects = new Set(
    desired.filter(({ kind }) => kind === 'Namespace').map(({ metadata }) => metadata.name),
  );
  const names = Array.from(foreignBindings, ({ metadata }) => metadata)
    .filter(({ namespace }) => projects.has(namespace ?? ''))
    .map(({ namespace, name }) => `${namespace}/${name}`)
    .sort();
  if (names.length === 0) return [];
  const list = names.slice(0, LONGEST_LIST).join(', ');
  const more = names.length > LONGEST_LIST ? ` and ${names.length - LONGEST_LIST} more` : '';
  return [`RoleBindings that are not managed here: ${list}${more}`];
};
