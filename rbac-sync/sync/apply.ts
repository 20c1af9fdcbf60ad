/** Makes the changes that diff.ts decided, and tells the stores what came of them. */
import {
  type ManagedKind,
  type ManagedObject,
  namespaceOf,
  toObjectKey,
} from '#domain/kubernetes-objects.ts';
import type { KubernetesClient } from '../cluster/kubernetes-client.ts';
import { isInvalid, isNotFound, isTaken, KubernetesError } from '../cluster/kubernetes-error.ts';
import { toCreationPath, toObjectPath } from '../cluster/kubernetes-paths.ts';
import { applyObject, createObject, deleteObject } from '../cluster/object-requests.ts';
import { type ObjectStore, ObservedObject } from '../cluster/object-store.ts';
import type { SyncMetrics } from '../metrics.ts';
import { forEachConcurrently } from '../queue/concurrent.ts';
import type { Changes } from './diff.ts';
import { hasRoleRef } from './equality.ts';
import { isBinding } from './replacement.ts';
import { planStages, type Write } from './stages.ts';
import { explainRefusal } from './taken-namespace.ts';

/** Where changes are made. */
export type ApplyTarget = {
  readonly client: KubernetesClient;
  readonly stores: Readonly<Record<ManagedKind, ObjectStore>>;
  readonly metrics: Pick<SyncMetrics, 'objectsWritten'>;
};

const IN_FLIGHT = 32;

/**
 * Makes all the changes, stage by stage. One that fails holds up no other: a removal least of all.
 *
 * @param untilInForce called before anything goes that something else replaces; never throws
 * @returns everything that failed, after everything else is done
 */
export const applyChanges = async (
  target: ApplyTarget,
  changes: Changes,
  untilInForce: () => Promise<void>,
): Promise<ApplyFailure[]> => {
  const { open, fenced } = planStages(changes);
  const failures: ApplyFailure[] = [];
  const write = async (stage: readonly Write[]) => {
    // What is in a namespace that could not be written would only fail with it.
    const closed = new Set(
      failures.filter(({ isNamespace }) => isNamespace).map((each) => each.namespace),
    );
    const possible = stage.filter(
      ({ operation, object }) => operation === 'delete' || !closed.has(namespaceOf(object)),
    );
    failures.push(...(await writeAll(target, possible)));
  };
  for (const stage of open) await write(stage);
  if (fenced.some((stage) => stage.length > 0)) await untilInForce();
  for (const stage of fenced) await write(stage);
  return failures;
};

/** What could not be written, and in which namespace; `undefined`: it concerns the whole cluster. */
export type ApplyFailure = {
  readonly namespace: string | undefined;
  /** Whether the namespace itself could not be written. */
  readonly isNamespace?: boolean;
  readonly cause: unknown;
};

const writeAll = async (target: ApplyTarget, stage: readonly Write[]): Promise<ApplyFailure[]> => {
  const failures: ApplyFailure[] = [];
  await forEachConcurrently(stage, IN_FLIGHT, async (each) => {
    try {
      await (each.operation === 'apply' ? apply(target, each.object) : remove(target, each.object));
    } catch (error) {
      const isNamespace = each.object.kind === 'Namespace';
      const cause =
        isNamespace && each.operation === 'apply'
          ? await explainRefusal(target.client, each.object, error)
          : error;
      failures.push({ namespace: namespaceOf(each.object), isNamespace, cause });
    }
  });
  return failures;
};

const apply = async (target: ApplyTarget, object: ManagedObject): Promise<void> => {
  const written = ObservedObject.parse(await write(target, object));
  target.stores[object.kind].put(written);
  target.metrics.objectsWritten.inc({ operation: 'apply', kind: object.kind });
};

/** What we write of these is replaced whole by a later apply, so that a create leaves nothing behind. */
const CREATED: ReadonlySet<ManagedKind> = new Set(['Role', 'RoleBinding', 'ClusterRoleBinding']);

/**
 * Writes one object, and answers it as it is then. An apply costs the API server a third more than a
 * create, which is enough for what isn't there.
 *
 * @throws KubernetesError when the API server refuses
 */
export const write = async (
  {
    client,
    stores,
  }: { readonly client: Pick<KubernetesClient, 'request'> } & Pick<ApplyTarget, 'stores'>,
  object: ManagedObject,
): Promise<unknown> => {
  if (CREATED.has(object.kind) && !stores[object.kind].has(toObjectKey(object))) {
    try {
      return await createObject(client, toCreationPath(object), object);
    } catch (error) {
      if (!isTaken(error)) throw error;
      return takeOver(client, object);
    }
  }
  return applyObject(client, toObjectPath(object), object);
};

/** An object that somebody made by hand with a name of ours, and without our label. */
const takeOver = async (
  client: Pick<KubernetesClient, 'request'>,
  object: ManagedObject,
): Promise<unknown> => {
  const path = toObjectPath(object);
  try {
    return await applyObject(client, path, object);
  } catch (error) {
    if (!isInvalid(error) || !isBinding(object)) throw error;
    const existing = ObservedObject.parse(await client.request(path));
    if (hasRoleRef(object, existing)) throw error;
    // A roleRef can't be changed: the one in the way has to go.
    await deleteObject(client, path, existing.metadata.uid);
    return createObject(client, toCreationPath(object), object);
  }
};

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
