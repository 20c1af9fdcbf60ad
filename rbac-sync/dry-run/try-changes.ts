/** Sends the changes that diff.ts decided as server-side dry runs, and tells what came of each. */
import { DIFF_LIMITS, type ObjectDiff } from '#domain/cluster-diff.ts';
import { type ManagedKind, type ManagedObject, toObjectKey } from '#domain/kubernetes-objects.ts';
import { isUnauthorized, KubernetesError } from '../cluster/kubernetes-error.ts';
import { toObjectPath } from '../cluster/kubernetes-paths.ts';
import { deleteObject, findObject } from '../cluster/object-requests.ts';
import { type ObjectStore, ObservedObject } from '../cluster/object-store.ts';
import { forEachConcurrently } from '../queue/concurrent.ts';
import { write } from '../sync/apply.ts';
import type { Changes } from '../sync/diff.ts';
import { hasRoleRef } from '../sync/equality.ts';
import { isBinding } from '../sync/replacement.ts';
import { explainRefusal } from '../sync/taken-namespace.ts';
import { type DiffClient, toDryRunClient } from './dry-run-client.ts';
import { AnsweredObject, toShown } from './shown-object.ts';

/** Where changes are tried. */
export type TryTarget = {
  /** `undefined`: there is no cluster yet, and nobody to ask. */
  readonly client: DiffClient | undefined;
  readonly stores: Readonly<Record<ManagedKind, ObjectStore>>;
};

const IN_FLIGHT = 8;

type Step =
  | { readonly remove: ObservedObject }
  | { readonly write: ManagedObject; readonly existing: ObservedObject | undefined };

/**
 * Tries the changes one by one, in their order, and no more of them than a diff shows.
 *
 * @returns one for each that was tried, and how many were left out
 * @throws when the API server can't be asked; a refusal of one change is told with it
 */
export const tryChanges = async (
  target: TryTarget,
  changes: Changes,
): Promise<{ objects: ObjectDiff[]; omitted: number }> => {
  const all = toSteps(target, changes);
  const steps = all.slice(0, DIFF_LIMITS.objects);
  const results = new Map<Step, ObjectDiff>();
  const missing = new Set<string>();
  const tryAll = async (some: readonly Step[]): Promise<void> => {
    const [failure] = await forEachConcurrently(some, IN_FLIGHT, async (step) => {
      results.set(step, await tryStep(target, step, missing));
    });
    if (failure) throw failure;
  };
  // Whether anything in a namespace can be tried depends on what becomes of it.
  const isNamespace = (step: Step) => 'write' in step && step.write.kind === 'Namespace';
  await tryAll(steps.filter(isNamespace));
  await tryAll(steps.filter((step) => !isNamespace(step)));
  return {
    objects: steps.flatMap((step) => results.get(step) ?? []),
    omitted: all.length - steps.length,
  };
};

const toSteps = ({ stores }: TryTarget, { revoke, apply, prune }: Changes): Step[] => {
  const removed = new Set([...revoke.remove, ...prune].map(toObjectKey));
  const observed = new Map(
    Object.values(stores).flatMap((store) =>
      Array.from(store.values(), (object) => [toObjectKey(object), object] as const),
    ),
  );
  const toWrite = (object: ManagedObject): Step => {
    const key = toObjectKey(object);
    return { write: object, existing: removed.has(key) ? undefined : observed.get(key) };
  };
  const toRemove = (object: ObservedObject): Step => ({ remove: object });
  const remade = apply.filter((object) => removed.has(toObjectKey(object)));
  return [
    ...revoke.remove.map(toRemove),
    ...revoke.apply.map(toWrite),
    ...apply.filter((object) => !remade.includes(object)).map(toWrite),
    ...prune.map(toRemove),
    // Made anew once the old one is gone.
    ...remade.map(toWrite),
  ];
};

/** @param missing namespaces that aren't there or aren't ours; tried ones are added */
const tryStep = (target: TryTarget, step: Step, missing: Set<string>): Promise<ObjectDiff> =>
  'remove' in step
    ? tryRemoval(target, step.remove)
    : tryWrite(target, { object: step.write, existing: step.existing }, missing);

const describe = ({ kind, metadata }: ObservedObject | ManagedObject) => ({
  kind,
  namespace: metadata.namespace ?? null,
  name: metadata.name,
});

const tryRemoval = async ({ client }: TryTarget, object: ObservedObject): Promise<ObjectDiff> => {
  const path = toObjectPath({ kind: object.kind as ManagedKind, metadata: object.metadata });
  const { uid } = object.metadata;
  const { refusal } = await attempt(
    async () => client && deleteObject(toDryRunClient(client), path, uid),
  );
  return {
    action: 'delete',
    ...describe(object),
    before: toShown(object),
    after: null,
    checked: client !== undefined,
    refusal,
  };
};

const tryWrite = async (
  target: TryTarget,
  { object, existing }: { object: ManagedObject; existing: ObservedObject | undefined },
  missing: Set<string>,
): Promise<ObjectDiff> => {
  const { client, stores } = target;
  const isHidden = client === undefined || missing.has(object.metadata.namespace ?? '');
  // What has our name without our label is there all the same.
  const before = existing ?? (isHidden ? undefined : await read(client, object));
  // One whose roleRef is another has to go before it can be made anew.
  const isRemade = before !== undefined && isBinding(object) && !hasRoleRef(object, before);
  const { answer, refusal } =
    isHidden || isRemade
      ? { answer: undefined, refusal: null }
      : await attempt(
          () => write({ client: toDryRunClient(client), stores }, object),
          (cause) => explain(client, object, cause),
        );
  if (object.kind === 'Namespace' && (!before || refusal !== null)) {
    missing.add(object.metadata.name);
  }
  // What a dry run creates has no resource version.
  const after = answer === undefined ? object : AnsweredObject.parse(answer);
  return {
    action: before ? 'update' : 'create',
    ...describe(object),
    before: before ? toShown(before, object) : null,
    after: toShown(after, object),
    checked: !isHidden && !isRemade,
    refusal,
  };
};

const read = async (
  client: DiffClient,
  object: ManagedObject,
): Promise<ObservedObject | undefined> =>
  ObservedObject.optional().parse(await findObject(client, toObjectPath(object)));

const explain = async (
  client: DiffClient,
  object: ManagedObject,
  cause: Error,
): Promise<string> => {
  const why = object.kind === 'Namespace' ? await explainRefusal(client, object, cause) : cause;
  return why instanceof Error ? why.message : cause.message;
};

/** A refusal speaks of one object; an API server that can't answer speaks of none. */
const attempt = async (
  request: () => Promise<unknown>,
  toRefusal = async (cause: Error): Promise<string> => cause.message,
): Promise<{ answer: unknown; refusal: string | null }> => {
  try {
    return { answer: await request(), refusal: null };
  } catch (error) {
    const isRefusal = error instanceof KubernetesError && error.status < 500;
    if (!isRefusal || isUnauthorized(error) || error.status === 429) throw error;
    return { answer: undefined, refusal: await toRefusal(error) };
  }
};
