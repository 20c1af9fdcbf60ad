/**
 * What was taken over and still stands. The sync identity deletes nothing that isn't ours, or a stolen one
 * could; so whoever made the object removes it, and until then the ledger says what it gives. Pure.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ManagedObject, RoleBinding } from '#domain/kubernetes-objects.ts';
import type { ObservedObject } from '../cluster/object-store.ts';
import type { Decision } from './decide.ts';

/** Says of each binding that was taken over whether it gives more than ours by now. */
export const describeAdopted = (
  decisions: readonly Decision[],
  desired: readonly ManagedObject[],
): Decision[] =>
  decisions.map((decision) => {
    const { action, adoption, finding } = decision;
    if (action !== 'adopted' || adoption || finding.origin !== 'foreign' || !finding.observed) {
      return decision;
    }
    return { ...decision, reason: isCovered(finding.observed, desired) ? COVERED : UNCOVERED };
  });

const COVERED =
  'It was taken over as role assignments: a binding of ours gives the same, and this one can be deleted.';
const UNCOVERED =
  'It was taken over as role assignments, and they give less by now: THIS BINDING STILL GIVES WHAT IT DID until somebody deletes it.';

/** Whether a binding of ours gives the same role in the same namespace to all its subjects. */
export const isCovered = (foreign: ObservedObject, desired: readonly ManagedObject[]): boolean => {
  const subjects = (foreign['subjects'] ?? []) as RoleBinding['subjects'];
  return desired.some(
    (object) =>
      object.kind === 'RoleBinding' &&
      object.metadata.namespace === foreign.metadata.namespace &&
      isDeepStrictEqual(object.roleRef, foreign['roleRef']) &&
      subjects.every(({ kind, name }) =>
        object.subjects.some((ours) => ours.kind === kind && ours.name === name),
      ),
  );
};
