/**
 * What we know of one kind in one cluster: fed by lists and watch events, and by the answers to our
 * own writes, so that a reconcile sees what the one before it wrote without waiting for the watch.
 */
import * as z from 'zod';
import { toObjectKey } from '#domain/kubernetes-objects.ts';

/** An object as the API server holds it: its metadata is checked, the rest is as it comes. */
export const ObservedObject = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    uid: z.string(),
    // 64 bits, and no number that takes seconds to read.
    resourceVersion: z.string().regex(/^\d{1,20}$/),
    labels: z.record(z.string(), z.string()).optional(),
    deletionTimestamp: z.string().optional(),
  }),
});
export type ObservedObject = z.infer<typeof ObservedObject>;

/** The objects of one kind. */
export type ObjectStore = {
  readonly values: () => Iterable<ObservedObject>;
  /** @param key of `toObjectKey` */
  readonly has: (key: string) => boolean;
  /** Takes a newer version of an object and answers true; one that we know or had newer is ignored. */
  readonly put: (object: ObservedObject) => boolean;
  /**
   * Forgets an object that the API server told us is deleted, unless a newer one has its name or we
   * knew already; answers whether it did.
   */
  readonly remove: (object: ObservedObject) => boolean;
  /** Forgets an object that we deleted ourselves; events from before the deletion are ignored. */
  readonly removeOwn: (object: ObservedObject) => void;
  /** Takes a complete list of that resource version, what is newer stays; answers whether it told news. */
  readonly replace: (objects: readonly ObservedObject[], resourceVersion: string) => boolean;
};

/** An empty store. */
export const createObjectStore = (): ObjectStore => {
  const objects = new Map<string, ObservedObject>();
  // A uid never comes back: a late event about one of these is old news.
  const deleted = new Set<string>();

  const put = (object: ObservedObject): boolean => {
    const key = toObjectKey(object);
    const known = objects.get(key);
    if (deleted.has(object.metadata.uid)) return false;
    if (known && compareVersions(known, object) >= 0) return false;
    objects.set(key, object);
    return true;
  };

  const remove = (object: ObservedObject): boolean => {
    deleted.delete(object.metadata.uid);
    const known = objects.get(toObjectKey(object));
    if (!known || compareVersions(known, object) > 0) return false;
    return objects.delete(toObjectKey(object));
  };

  const replace = (listed: readonly ObservedObject[], resourceVersion: string): boolean => {
    const uids = new Set(listed.map((object) => object.metadata.uid));
    for (const uid of deleted) if (!uids.has(uid)) deleted.delete(uid);
    const keys = new Set(listed.map(toObjectKey));
    let news = false;
    for (const [key, object] of objects) {
      const since = BigInt(object.metadata.resourceVersion) > BigInt(resourceVersion);
      if (!keys.has(key) && !since) news = objects.delete(key) || news;
    }
    for (const object of listed) news = put(object) || news;
    return news;
  };

  const removeOwn = (object: ObservedObject): void => {
    deleted.add(object.metadata.uid);
    const known = objects.get(toObjectKey(object));
    if (known?.metadata.uid === object.metadata.uid) objects.delete(toObjectKey(object));
  };

  const has = (key: string): boolean => objects.has(key);

  return { values: () => objects.values(), has, put, remove, removeOwn, replace };
};

/** An empty store for each kind. */
export const createObjectStores = <Kind extends string>(
  kinds: readonly Kind[],
): Record<Kind, ObjectStore> =>
  Object.fromEntries(kinds.map((kind) => [kind, createObjectStore()])) as Record<Kind, ObjectStore>;

/** Resource versions of one kind are ordered numbers (KEP-5504); positive when `a` is the newer. */
const compareVersions = (a: ObservedObject, b: ObservedObject): number => {
  const [left, right] = [BigInt(a.metadata.resourceVersion), BigInt(b.metadata.resourceVersion)];
  return left > right ? 1 : left < right ? -1 : 0;
};
