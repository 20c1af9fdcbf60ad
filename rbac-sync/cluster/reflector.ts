/**
 * Keeps a store equal to what a cluster holds of one kind: lists, then watches from there, and starts
 * over whenever that breaks. It never stops by itself: a reset, an overload, an expired version or a
 * silent connection only make it wait and try again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '#runtime/log.ts';
import { backoffMs } from '../queue/backoff.ts';
import type { KubernetesClient, WatchEvent } from './kubernetes-client.ts';
import { isGone, KubernetesError } from './kubernetes-error.ts';
import { listObjects } from './list-objects.ts';
import { type ObjectStore, ObservedObject } from './object-store.ts';

/** What {@link startReflector} needs. */
export type ReflectorOptions = {
  readonly client: Pick<KubernetesClient, 'request' | 'watch'>;
  /** The collection's path. */
  readonly path: string;
  /** Lists leave it out of their items. */
  readonly kind: string;
  readonly labelSelector: string;
  readonly store: ObjectStore;
  /** What is kept of an object; all of it, if not said. */
  readonly transform?: (object: ObservedObject) => ObservedObject;
  /** Something changed, or may have while we could not see: look. Must not throw. */
  readonly onChange: () => void;
  readonly log: Logger;
  readonly random?: () => number;
  /** Overrides of the times below, for tests; in milliseconds. */
  readonly times?: Partial<Times>;
};

type Times = {
  /** A watch that says nothing for so long is dead: bookmarks come about each minute. */
  readonly inactivity: number;
  /** From list to list, in case an event was lost; ± 20 %. */
  readonly relist: number;
  readonly backoffBase: number;
  readonly backoffCap: number;
};
const TIMES: Times = {
  inactivity: 120_000,
  relist: 300_000,
  backoffBase: 100,
  backoffCap: 30_000,
};

/** A running reflector. */
export type Reflector = AsyncDisposable & {
  /** Resolves once the store holds the first complete list; rejects when stopped before. */
  readonly synced: Promise<void>;
};

/** Starts at once; disposal ends the watch. */
export const startReflector = (options: ReflectorOptions): Reflector => {
  const stop = new AbortController();
  const synced = Promise.withResolvers<void>();
  // Whoever does not wait for the first list must not crash on a stop before it.
  synced.promise.catch(() => {});
  const running = run({ ...options, times: { ...TIMES, ...options.times } }, stop.signal, () =>
    synced.resolve(),
  ).finally(() => synced.reject(new Error(`the reflector of ${options.path} was stopped`)));
  return {
    synced: synced.promise,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await running;
    },
  };
};

type Settings = ReflectorOptions & { readonly times: Times };

const run = async (
  settings: Settings,
  signal: AbortSignal,
  onSynced: () => void,
): Promise<void> => {
  const { log, onChange, path, times, random = Math.random } = settings;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const { version, news } = await list(settings, signal);
      onSynced();
      if (news) onChange();
      const relistAt = Date.now() + times.relist * (0.8 + 0.4 * random());
      await watchUntil(settings, { version, relistAt, signal, onProgress: () => (failures = 0) });
    } catch (error) {
      if (signal.aborted) return;
      if (!isGone(error)) {
        failures += 1;
        log.warn({ err: error, path, failures }, 'a watch broke off; listing again');
        onChange();
      }
      const wait = backoffMs(failures, {
        baseMs: times.backoffBase,
        capMs: times.backoffCap,
        random,
      });
      await delay(wait, undefined, { signal }).catch(() => {});
    }
  }
};

/** Fills the store; answers the version to watch from, and whether anything was new. */
const list = async (
  { client, path, kind, labelSelector, store, transform = (object) => object }: Settings,
  signal: AbortSignal,
): Promise<{ version: string; news: boolean }> => {
  const request = { path, kind, labelSelector, signal };
  const { objects, version } = await listObjects(client, request);
  return { version, news: store.replace(objects.map(transform), version) };
};

const read = ({ kind, transform }: Settings, object: unknown): ObservedObject => {
  const observed = ObservedObject.parse({ ...Object(object), kind });
  return transform ? transform(observed) : observed;
};

type Watching = {
  version: string;
  readonly relistAt: number;
  readonly signal: AbortSignal;
  readonly onProgress: () => void;
};

/** Watches, resuming each time the API server ends the stream, until it is time to list again. */
const watchUntil = async (settings: Settings, watching: Watching): Promise<void> => {
  const { times } = settings;
  while (!watching.signal.aborted && Date.now() < watching.relistAt) {
    using watchdog = createWatchdog(watching, times.inactivity);
    const query = {
      labelSelector: settings.labelSelector,
      resourceVersion: watching.version,
      allowWatchBookmarks: 'true',
      // The API server ends the stream itself, in time for the next list.
      timeoutSeconds: `${Math.max(1, Math.ceil((watching.relistAt - Date.now()) / 1000))}`,
    };
    const started = Date.now();
    for await (const event of settings.client.watch(settings.path, query, watchdog.signal)) {
      watchdog.reset();
      watching.version = take(settings, event) ?? watching.version;
      watching.onProgress();
    }
    // A server that ends each watch at once must not be asked in a tight loop.
    if (Date.now() - started < times.backoffBase) {
      await delay(times.backoffBase, undefined, { signal: watching.signal });
    }
  }
};

/** Applies one event to the store; answers the version that it brings us to. */
const take = (settings: Settings, event: WatchEvent | null): string | undefined => {
  if (event === null) throw new Error('the watch sent a line that is not an event');
  if (event.type === 'ERROR') {
    const status = (event.object ?? {}) as { code?: number; reason?: string; message?: string };
    throw new KubernetesError('WATCH', status.code ?? 500, status);
  }
  if (event.type === 'BOOKMARK') {
    const bookmark = event.object as { metadata?: { resourceVersion?: string } };
    return bookmark.metadata?.resourceVersion;
  }
  const object = read(settings, event.object);
  const { store, onChange } = settings;
  // What our own writes' answers have told us already is no change.
  if (event.type === 'DELETED' ? store.remove(object) : store.put(object)) onChange();
  return object.metadata.resourceVersion;
};

/** Aborts when `reset` has not been called for so long, or with the signal it was given. */
const createWatchdog = ({ signal }: Watching, inactivityMs: number) => {
  const controller = new AbortController();
  const bark = () => controller.abort(new Error(`the watch was silent for ${inactivityMs} ms`));
  const timer = setTimeout(bark, inactivityMs);
  const follow = () => controller.abort(signal.reason);
  signal.addEventListener('abort', follow, { once: true });
  if (signal.aborted) follow();
  return {
    signal: controller.signal,
    reset: () => void timer.refresh(),
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', follow);
      controller.abort();
    },
  };
};
