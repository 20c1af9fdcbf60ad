/**
 * The controller: doorbell, watches and timers only say which workspace to look at; what happened is
 * nobody's concern, because a look reads everything. Owns the leases, the queue and the connections.
 */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Registry } from 'prom-client';
import type { DatabasePool } from 'slonik';
import * as z from 'zod';
import { DOORBELL_SUBJECTS, type Doorbell } from '#runtime/doorbell.ts';
import type { Encryption } from '#runtime/encryption.ts';
import type { Logger } from '#runtime/log.ts';
import type { WorkspaceCluster } from './cluster/workspace-clusters.ts';
import { expire } from './life/expire.ts';
import { createSyncMetrics } from './metrics.ts';
import type { ProvisionerRegistry } from './provisioners/registry.ts';
import { LEASE_SECONDS, releaseLeases, renewLeases } from './queue/leases.ts';
import { createWorkQueue, type WorkQueue } from './queue/work-queue.ts';
import type { ReconcileDeps } from './reconcile/look.ts';
import { reconcileWorkspace } from './reconcile/reconcile-workspace.ts';
import { TRUSTS_ISSUER } from './reconcile/statements.ts';
import type { ProbeTokens } from './trust/probe-tokens.ts';
import { listForgetful, saveAcceptedKey } from './trust/revoked-keys.ts';
import { createTrustWatch } from './trust/trust-watch.ts';
import { listDueWorkspaces } from './workspace/workspace-queries.ts';

/** What {@link createController} needs; it owns none of it. */
export type ControllerDeps = {
  readonly db: DatabasePool;
  readonly doorbell: Doorbell;
  readonly provisioners: ProvisionerRegistry;
  /** With them clusters' trust in the issuer is proven; without, it is what was configured. */
  readonly probeTokens?: ProbeTokens | undefined;
  readonly encryption: Encryption;
  readonly metrics: Registry;
  readonly log: Logger;
  /** A look at each workspace at least this often, ± 20 %. */
  readonly resyncIntervalMs: number;
  /** A look for changes whose ring was lost, and for workspaces that nobody looks after. */
  readonly pollIntervalMs?: number;
  /** Workspaces worked on at once. */
  readonly concurrency?: number;
  readonly random?: () => number;
};

/** A running controller; disposal ends the work in flight and lets go of all leases. */
export type Controller = AsyncDisposable & {
  /** This replica's name. */
  readonly worker: string;
  /** Asks for a look at a workspace, soon. */
  readonly enqueue: (workspaceId: string) => void;
};

const POLL_MS = 2_000;
const RENEW_MS = (LEASE_SECONDS * 1000) / 4;
const TAKE_AT_ONCE = 20;
const CONCURRENCY = 16;
// Longer than a look at a cluster with a thousand projects that answers as it should.
const LONG_MS = 5_000;
/** A day: timers take no more than 24 of them. */
const LONGEST_SLEEP_MS = 86_400_000;
const BACKOFF = { baseMs: 100, capMs: 60_000 };

const WorkspaceId = z.uuid();

/** Starts looking at once. */
export const createController = async (deps: ControllerDeps): Promise<Controller> => {
  const { db, doorbell, log, random = Math.random } = deps;
  const worker = `${hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`;
  const clusters = new Map<string, WorkspaceCluster>();
  const shutdown = new AbortController();
  const metrics = createSyncMetrics(deps.metrics);
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => releaseLeases(db, worker));
  cleanup.defer(() => closeAll(clusters));
  const reconcileDeps: ReconcileDeps = {
    ...deps,
    metrics,
    worker,
    trust: createTrustWatch({
      tokens: deps.probeTokens,
      unproven: TRUSTS_ISSUER,
      accepted: (workspaceId, kid) => saveAcceptedKey(db, workspaceId, kid),
    }),
    clusters,
    signal: shutdown.signal,
    onChange: (workspaceId) => queue.add(workspaceId),
    wakeIn: (workspaceId, ms) => queue.addLater(workspaceId, Math.min(ms, LONGEST_SLEEP_MS)),
  };
  const queue: WorkQueue = cleanup.use(
    createWorkQueue({
      process: async (workspaceId) => {
        const result = await reconcileWorkspace(reconcileDeps, workspaceId);
        if (!result.ours) return undefined;
        if (result.failed) return { failed: true };
        const usually = deps.resyncIntervalMs * (0.8 + 0.4 * random());
        return { againInMs: Math.min(usually, result.againInMs ?? usually) };
      },
      concurrency: deps.concurrency ?? CONCURRENCY,
      longMs: LONG_MS,
      ...BACKOFF,
      log,
      metrics: metrics.queue,
      random,
    }),
  );
  cleanup.defer(() => shutdown.abort(new Error('rbac-sync is stopping')));
  const renew = async () => {
    const held = new Set(await renewLeases(db, worker));
    metrics.leases.set(held.size);
    for (const workspaceId of metrics.notInForce) {
      if (!held.has(workspaceId)) metrics.notInForce.delete(workspaceId);
    }
    await closeAll(clusters, (workspaceId) => !held.has(workspaceId));
  };
  const poll = async () => {
    for (const due of await listDueWorkspaces(db, worker, TAKE_AT_ONCE)) {
      // One that fails comes back by itself, later and later; a ring still makes it come at once.
      if (!queue.isFailing(due)) queue.add(due);
    }
  };
  cleanup.use(repeat(RENEW_MS, renew, log));
  cleanup.use(repeat(deps.pollIntervalMs ?? POLL_MS, poll, log));
  // Apart from the poll: it waits for locks that a long import holds.
  cleanup.use(repeat(deps.pollIntervalMs ?? POLL_MS, () => expire(deps), log));
  const onRing = (id: string) => {
    if (WorkspaceId.safeParse(id).success) queue.add(id);
  };
  cleanup.defer(await doorbell.listen(DOORBELL_SUBJECTS.workspaceChanged, onRing));
  if (deps.probeTokens) cleanup.use(await watchRevokedKeys(deps, worker, queue.add));
  await poll();
  const resources = cleanup.move();
  return {
    worker,
    enqueue: queue.add,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
};

/** Asks for a look at each workspace whose cluster may trust a key that was just revoked. */
const watchRevokedKeys = async (
  { db, doorbell, log, pollIntervalMs = POLL_MS }: ControllerDeps,
  worker: string,
  enqueue: (workspaceId: string) => void,
): Promise<AsyncDisposable> => {
  await using cleanup = new AsyncDisposableStack();
  const told = new Map<string, number>();
  const look = async () => {
    for (const { workspace_id: id, revoked_at } of await listForgetful(db, worker)) {
      // Once: a look that is in vain comes again by itself.
      if (told.get(id) !== revoked_at.getTime()) enqueue(id);
      told.set(id, revoked_at.getTime());
    }
  };
  const onRing = () => {
    look().catch((error: unknown) => log.warn({ err: error }, 'a look for revoked keys failed'));
  };
  cleanup.use(repeat(pollIntervalMs, look, log));
  cleanup.defer(await doorbell.listen(DOORBELL_SUBJECTS.keysChanged, onRing));
  const resources = cleanup.move();
  return { [Symbol.asyncDispose]: () => resources.disposeAsync() };
};

const closeAll = async (
  clusters: Map<string, WorkspaceCluster>,
  which: (workspaceId: string) => boolean = () => true,
): Promise<void> => {
  for (const [workspaceId, cluster] of clusters) {
    if (!which(workspaceId)) continue;
    clusters.delete(workspaceId);
    await cluster[Symbol.asyncDispose]();
  }
};

/** Does something again and again, one at a time; a failure is logged and the next time comes. */
const repeat = (ms: number, work: () => Promise<void>, log: Logger): AsyncDisposable => {
  let running = Promise.resolve();
  let timer: NodeJS.Timeout;
  const schedule = () => {
    timer = setTimeout(() => {
      running = work()
        .catch((error: unknown) => log.warn({ err: error }, 'a periodic look failed'))
        .finally(() => {
          if (!stopped) schedule();
        });
    }, ms);
  };
  let stopped = false;
  schedule();
  return {
    [Symbol.asyncDispose]: async () => {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
};
