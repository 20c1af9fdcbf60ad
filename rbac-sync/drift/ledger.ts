/**
 * The drift ledger: at each look, what was changed past the platform is found, what to do about it is
 * decided, and all of it is written down in the transaction that says what is so of the workspace.
 */
import { createHash } from 'node:crypto';
import type { CommonQueryMethods, DatabasePool } from 'slonik';
import { recordAudit } from '#database/changes.ts';
import { type ManagedObject, toObjectKey } from '#domain/kubernetes-objects.ts';
import type { WorkspaceCluster } from '../cluster/workspace-clusters.ts';
import type { SyncMetrics } from '../metrics.ts';
import type { Workspace } from '../workspace/workspace-queries.ts';
import { carryOutAdoption } from './adopt-queries.ts';
import { describeAdopted } from './adopted-objects.ts';
import { planAdoption } from './adoption.ts';
import { type Decision, decide, listWithheld, REPAIRS_WITHIN_MS } from './decide.ts';
import { type Finding, listFindings, toDesiredHash } from './findings.ts';
import { readMissing } from './missing-objects.ts';
import {
  EXPLAIN_AFTER_MS,
  explainDrift,
  type LedgerRow,
  listGroupNames,
  listKnownDrift,
  resolveDrift,
  saveDrift,
  trimDrift,
} from './queries.ts';

/** What {@link lookForDrift} needs. */
export type DriftContext = {
  readonly db: DatabasePool;
  readonly metrics: Pick<SyncMetrics, 'drift'>;
  readonly workspace: Workspace;
  readonly cluster: WorkspaceCluster;
  readonly desired: readonly ManagedObject[];
  /** Whether this desired state was seen in force before, by whoever looked after the cluster then. */
  readonly provenBefore: boolean;
  /** What was found before the look, and what came of it, such as policies that were put back. */
  readonly before?: readonly Decision[];
};

/** What one look has found and decided. */
export type DriftLook = {
  readonly decisions: readonly Decision[];
  readonly known: readonly LedgerRow[];
  /** Keys of what sync must leave alone. */
  readonly withheld: ReadonlySet<string>;
  /** When the watches were read. */
  readonly lookedAt: Date;
  readonly context: DriftContext;
};

/** More is found by those who look at the cluster itself; a tenant could make any number. */
const MOST_FOREIGN = 500;

/** Reads the ledger and compares; changes nothing. */
export const lookForDrift = async (context: DriftContext): Promise<DriftLook> => {
  const { db, workspace, cluster, desired, provenBefore } = context;
  const known = await listKnownDrift(db, workspace.id, REPAIRS_WITHIN_MS / 1000);
  const mode = workspace.driftMode;
  // Only what is given to a group that there is can be taken over.
  const groups = new Set(mode === 'adopt' ? await listGroupNames(db, workspace.id) : []);
  cluster.settled ??= new Map(
    provenBefore ? desired.map((object) => [toObjectKey(object), object]) : [],
  );
  restoreLeftAlone(cluster.settled, desired, known);
  const labelled = Object.values(cluster.stores).flatMap((store) => [...store.values()]);
  const lookedAt = new Date();
  const found = listFindings({
    desired,
    observed: [...labelled, ...(await readMissing(cluster, desired))],
    others: Object.values(cluster.foreign).flatMap((store) => [...store.values()]),
    settled: cluster.settled,
  });
  const decisions = decide(limit(found), {
    mode,
    known,
    now: lookedAt,
    adopt: (finding) => planAdoption(finding, { state: workspace.state, groups }),
  });
  const withheld = listWithheld(decisions, desired.map(toObjectKey));
  const all = [...(context.before ?? []), ...describeAdopted(decisions, desired)];
  return { decisions: all, known, withheld, lookedAt, context };
};

/** What is open to somebody comes first. */
const limit = (findings: readonly Finding[]): Finding[] => {
  const foreign = findings.filter(({ origin }) => origin === 'foreign');
  const others = findings.filter(({ origin }) => origin !== 'foreign');
  const sorted = foreign.toSorted((a, b) => b.opened.length - a.opened.length);
  return [...others, ...sorted.slice(0, MOST_FOREIGN)];
};

/** What those before us left alone is still the same drift, as long as it should be the same. */
const restoreLeftAlone = (
  settled: Map<string, ManagedObject>,
  desired: readonly ManagedObject[],
  known: readonly LedgerRow[],
): void => {
  const open = new Map(
    known.filter((row) => row.resolvedAt === null).map((row) => [row.key, row.desiredHash]),
  );
  if (open.size === 0) return;
  for (const object of desired) {
    const key = toObjectKey(object);
    const hash = open.get(key);
    if (hash && !settled.has(key) && hash === toDesiredHash(object)) settled.set(key, object);
  }
};

/** Notes what is as it should be now that everything was written. */
export const noteSettled = ({ withheld, context }: DriftLook): void => {
  const { cluster, desired } = context;
  const before = cluster.settled ?? new Map();
  cluster.settled = new Map(
    desired.flatMap((object) => {
      const key = toObjectKey(object);
      const settled = withheld.has(key) ? before.get(key) : object;
      return settled ? [[key, settled]] : [];
    }),
  );
};

/**
 * Writes the look down. Runs under the lease.
 *
 * @returns whether another look has more to do or to say: something was taken over, or someone is named
 */
export const recordDrift = async (db: CommonQueryMethods, look: DriftLook): Promise<boolean> => {
  const { workspace } = look.context;
  const { decisions } = look;
  const news = decisions.filter((decision) => isNews(look, decision));
  for (const decision of news) await saveOne(db, look, decision);
  const found = new Set(decisions.map(({ finding }) => finding.key));
  const over = look.known.filter((row) => row.resolvedAt === null && !found.has(row.key));
  if (over.length > 0)
    await resolveDrift(
      db,
      over.map(({ id }) => id),
    );
  const isUnexplained = news.length > 0 || look.known.some(({ unexplained }) => unexplained);
  const explained = isUnexplained ? await explainDrift(db, workspace.id) : 0;
  if (news.length > 0) await trimDrift(db, workspace.id);
  // The condition that names who fights us was worded before it was known who it is.
  const isNamed = explained > 0 && decisions.some(({ action }) => action === 'contested');
  return isNamed || news.some(({ adoption }) => adoption !== undefined);
};

/**
 * Milliseconds until there is more to do without anybody asking: a contested object to be forced again, or
 * an author to be named whose event must have come by then.
 */
export const untilRetry = (look: DriftLook | undefined, now: Date): number | undefined => {
  if (!look) return undefined;
  const retries = look.decisions.flatMap(({ retryAt }) => retryAt?.getTime() ?? []);
  const isUnnamed =
    look.known.some(({ unexplained }) => unexplained) ||
    look.decisions.some((decision) => openRow(look, decision) === undefined);
  const naming = isUnnamed ? [now.getTime() + EXPLAIN_AFTER_MS + 100] : [];
  const times = [...retries, ...naming];
  return times.length > 0 ? Math.max(0, Math.min(...times) - now.getTime()) : undefined;
};

/** Whether there is anything that {@link recordDrift} would write. */
export const hasDriftToRecord = (look: DriftLook): boolean => {
  const found = new Set(look.decisions.map(({ finding }) => finding.key));
  return (
    look.decisions.some((decision) => isNews(look, decision)) ||
    look.known.some((row) => row.unexplained || (row.resolvedAt === null && !found.has(row.key)))
  );
};

/** The look as it came out when sync failed: nothing that sync puts back is known to be. */
export const withFailure = (look: DriftLook, failure: string): DriftLook => ({
  ...look,
  decisions: look.decisions.map((decision) =>
    decision.action === 'repaired' && !look.context.before?.includes(decision)
      ? { ...decision, action: 'pending', reason: `It could not be put back yet: ${failure}` }
      : decision,
  ),
});

const openRow = ({ known }: DriftLook, { finding }: Decision): LedgerRow | undefined =>
  known.find((row) => row.key === finding.key && row.resolvedAt === null);

/**
 * What stands as it stood and is on record is not written again and again. What was written in a transaction
 * that came to nothing is not on record, so that the row is asked as well.
 */
const isNews = (look: DriftLook, decision: Decision): boolean =>
  openRow(look, decision)?.action !== decision.action ||
  look.context.cluster.recorded.get(decision.finding.key) !== toSignature(decision);

const toSignature = ({ finding, action, reason, retryAt }: Decision): string => {
  const { change, differences, opened } = finding;
  return createHash('sha256')
    .update(JSON.stringify([action, reason, retryAt, change, differences, opened]))
    .digest('base64');
};

const saveOne = async (
  db: CommonQueryMethods,
  look: DriftLook,
  decision: Decision,
): Promise<void> => {
  const { workspace, metrics, cluster } = look.context;
  const { finding, action, adoption } = decision;
  const was = openRow(look, decision);
  if (!was) metrics.drift.detected.inc({ kind: finding.kind, change: finding.change });
  if (action === 'repaired') metrics.drift.repaired.inc({ kind: finding.kind });
  if (action === 'contested' && was?.action !== 'contested')
    await recordContest(db, look, decision);
  if (adoption && was?.action !== 'adopted') {
    const { organizationId } = workspace.state;
    await carryOutAdoption(db, { workspaceId: workspace.id, organizationId, finding }, adoption);
  }
  const lookedAt = decision.foundAt ?? look.lookedAt;
  await saveDrift(db, { workspaceId: workspace.id, lookedAt }, decision);
  cluster.recorded.set(finding.key, toSignature(decision));
};

const recordContest = async (
  db: CommonQueryMethods,
  { context: { workspace, metrics } }: DriftLook,
  { finding }: Decision,
): Promise<void> => {
  const { kind, namespace, name, managers, opened } = finding;
  metrics.drift.contested.inc({ kind, opens: opened.length > 0 ? 'true' : 'false' });
  await recordAudit(db, {
    organizationId: workspace.state.organizationId,
    workspaceId: workspace.id,
    actorId: null,
    action: 'drift.contest',
    targetId: workspace.id,
    after: {
      object: { kind, namespace: namespace ?? null, name },
      managers: [...managers],
      opened: opened.slice(0, 5).map(({ sentence }) => sentence),
    },
    requestId: null,
    ip: null,
  });
};
