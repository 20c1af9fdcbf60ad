/** Makes the changes that diff.ts decided, and tells the stores what came of them. */
import { type ManagedKind, type ManagedObject, toObjectKey } from '#domain/kubernetes-objects.ts';
import { forEachConcurrently } from './concurrent.ts';
import type { Changes } from './diff.ts';
import {
  applyObject,
  createObject,
  deleteObject,
  type KubernetesClient,
} from './kubernetes-client.ts';
import { isNotFound, isTaken, KubernetesError } from './kubernetes-error.ts';
import { toCreationPath, toObjectPath } from './kubernetes-paths.ts';
import type { SyncMetrics } from './metrics.ts';
import { type ObjectStore, ObservedObject } from './object-store.ts';

/** Where changes are made. */
export type ApplyTarget = {
  readonly client: KubernetesClient;
  readonly stores: Readonly<Record<ManagedKind, ObjectStore>>;
  readonly metrics: Pick<SyncMetrics, 'objectsWritten'>;
};

const IN_FLIGHT = 32;

/** The stages of {@link Changes.apply}: each waits for the one before it. */
const STAGES: readonly (readonly ManagedKind[])[] = [
  ['Namespace'],
  ['ResourceQuota', 'LimitRange', 'NetworkPolicy', 'Role'],
  ['RoleBinding', 'ClusterRoleBinding'],
];

/**
 * Makes all the changes: removals of rights first, then what is new or different, prune last. One
 * that fails holds up no other.
 *
 * @returns everything that failed, after everything else is done
 */
export const applyChanges = async (
  target: ApplyTarget,
  changes: Changes,
): Promise<ApplyFailure[]> => {
  const { revoke, apply, prune } = changes;
  const failures = await removeAll(target, revoke.remove);
  failures.push(...(await applyAll(target, revoke.apply)));
  for (const kinds of STAGES) {
    const stage = apply.filter(({ kind }) => kinds.includes(kind));
    failures.push(...(await applyAll(target, stage)));
  }
  const isNamespace = ({ kind }: ObservedObject) => kind === 'Namespace';
  failures.push(
    ...(await removeAll(
      target,
      prune.filter((each) => !isNamespace(each)),
    )),
  );
  failures.push(...(await removeAll(target, prune.filter(isNamespace))));
  return failures;
};

/** What could not be written, and in which namespace; `undefined`: it concerns the whole cluster. */
export type ApplyFailure = { readonly namespace: string | undefined; readonly cause: unknown };

/** The namespace that an object is in, or is. */
export const namespaceOf = ({
  kind,
  metadata,
}: ObservedObject | ManagedObject): string | undefined =>
  kind === 'Namespace' ? metadata.name : metadata.namespace;

const withNamespace = async <O extends ObservedObject | ManagedObject>(
  objects: readonly O[],
  work: (object: O) => Promise<void>,
): Promise<ApplyFailure[]> => {
  const failures: ApplyFailure[] = [];
  await forEachConcurrently(objects, IN_FLIGHT, (object) =>
    work(object).catch((cause: unknown) => {
      failures.push({ namespace: namespaceOf(object), cause });
    }),
  );
  return failures;
};

const applyAll = (
  target: ApplyTarget,
  objects: readonly ManagedObject[],
): Promise<ApplyFailure[]> =>
  withNamespace(objects, async (object) => {
    const written = ObservedObject.parse(await write(target, object));
    target.stores[object.kind].put(written);
    target.metrics.objectsWritten.inc({ operation: 'apply', kind: object.kind });
  });

/** What we write of these is replaced whole by a later apply, so that a create leaves nothing behind. */
const CREATED: ReadonlySet<ManagedKind> = new Set(['Role', 'RoleBinding', 'ClusterRoleBinding']);

/** An apply costs the API server a third more than a create, which is enough for what isn't there. */
const write = async ({ client, stores }: ApplyTarget, object: ManagedObject): Promise<unknown> => {
  if (CREATED.has(object.kind) && !stores[object.kind].has(toObjectKey(object))) {
    try {
      return await createObject(client, toCreationPath(object), object);
    } catch (error) {
      if (!isTaken(error)) throw error;
    }
  }
  return applyObject(client, toObjectPath(object), object);
};

const removeAll = (
  target: ApplyTarget,
  objects: readonly ObservedObject[],
): Promise<ApplyFailure[]> => withNamespace(objects, (object) => remove(target, object));

const remove = async (target: ApplyTarget, object: ObservedObject): Promise<void> => {
  const kind = object.kind as ManagedKind;
  const path = toObjectPath({ kind, metadata: object.metadata });
  try {
    const answer = await deleteObject(target.client, path, object.metadata.uid);
    // A namespace stays for a while, marked; other objects are gone.
    const rest = ObservedObject.safeParse(answer);
    if (rest.success && rest.data.metadata.deletionTimestamp) target.stores[kind].put(rest.data);
    else target.stores[kind].removeOwn(object);
    target.metrics.objectsWritten.inc({ operation: 'delete', kind });
  } catch (error) {
    if (!isGoneAlready(error)) throw error;
    target.stores[kind].removeOwn(object);
  }
};

/** Not there, or another object by now has its name: this one is gone. */
const isGoneAlready = (error: unknown): boolean =>
  isNotFound(error) || (error instanceof KubernetesError && error.status === 409);
