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
import { planStages, type Write } from './stages.ts';

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
  for (const stage of open) failures.push(...(await writeAll(target, stage)));
  if (fenced.some((stage) => stage.length > 0)) await untilInForce();
  for (const stage of fenced) failures.push(...(await writeAll(target, stage)));
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

const writeAll = async (target: ApplyTarget, stage: readonly Write[]): Promise<ApplyFailure[]> => {
  const failures: ApplyFailure[] = [];
  await forEachConcurrently(stage, IN_FLIGHT, async (each) => {
    try {
      await (each.operation === 'apply' ? apply(target, each.object) : remove(target, each.object));
    } catch (cause) {
      failures.push({ namespace: namespaceOf(each.object), cause });
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
    }
  }
  return applyObject(client, toObjectPath(object), object);
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
