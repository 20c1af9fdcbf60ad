/**
 * Keeps up the walls of a cluster: at each look, what bootstrap has installed is compared with what the watches
 * show, and put back by bootstrapping again, proof included, before sync goes on. Where that fails, or something
 * fights it, sync goes on all the same, because what takes rights away must not wait for the end of a fight; but
 * the workspace is not called synchronized.
 */
import { toObjectKey } from '#domain/kubernetes-objects.ts';
import {
  type Access,
  type AccessDeps,
  type AccessRequest,
  isRejected,
  reinstall,
} from '../bootstrap/access-cluster.ts';
import { type Manifest, readManifests, toManifestPath } from '../bootstrap/manifests.ts';
import { isUnauthorized, KubernetesError, toGeneralFault } from '../cluster/kubernetes-error.ts';
import { findObject } from '../cluster/object-requests.ts';
import { ObservedObject } from '../cluster/object-store.ts';
import type { WorkspaceCluster } from '../cluster/workspace-clusters.ts';
import { type Decision, decide, REPAIRS_WITHIN_MS } from '../drift/decide.ts';
import type { Finding } from '../drift/findings.ts';
import { findManifestDrift } from '../drift/manifest-drift.ts';
import { listKnownDrift } from '../drift/queries.ts';
import { ProvisioningError } from '../provisioners/provisioner.ts';
import { LeaseLostError } from '../queue/leases.ts';
import { PolicyError } from './policy-error.ts';

/** How a cluster stands when the guard is done. */
export type Guarded = {
  /** Another connection than before, when something was put back. */
  readonly cluster: WorkspaceCluster;
  /** For the ledger. */
  readonly decisions: readonly Decision[];
  /** What is to be told when sync is done: not everything stands. */
  readonly fault: PolicyError | undefined;
};

/** @throws when the API server doesn't say, or the lease is lost */
export const guardPolicies = async (
  deps: AccessDeps,
  request: AccessRequest,
  access: Access,
): Promise<Guarded> => {
  const { cluster, repaired } = access;
  if (repaired.length > 0) return toRepaired(deps, request, access);
  const { findings, rejected } = await lookAtManifests(cluster);
  if (findings.length === 0 && !rejected) return { cluster, decisions: [], fault: undefined };
  const decisions = await decideFindings(deps, request, findings);
  const isContested = decisions.every(({ action }) => action === 'contested');
  if (findings.length > 0 && isContested) {
    return { cluster, decisions, fault: toContested(decisions) };
  }
  const foundAt = new Date();
  try {
    const again = await reinstall(deps, request);
    // What the connection before knew is as true of this one.
    again.cluster.settled = cluster.settled;
    again.cluster.unproven = cluster.unproven;
    return toRepaired(deps, request, again);
  } catch (error) {
    const isConnected = deps.clusters.get(request.workspace.id) === cluster;
    if (error instanceof LeaseLostError || !isConnected) throw error;
    deps.log.warn(
      { err: error, workspace: request.workspace.id, objects: findings.map(({ key }) => key) },
      'policies and presets could not be put back',
    );
    return toNotRepaired(
      cluster,
      decisions.map((decision) => ({ ...decision, foundAt })),
      error,
    );
  }
};

let manifests: readonly Manifest[] | undefined;

/** What the watches show; the namespace of our identity is asked for, which also says whether we are accepted. */
const lookAtManifests = async (
  cluster: WorkspaceCluster,
): Promise<{ readonly findings: readonly Finding[]; readonly rejected: boolean }> => {
  manifests ??= readManifests();
  const stores = [
    ...cluster.policies,
    ...Object.values(cluster.foreign),
    ...Object.values(cluster.stores),
  ];
  const observed = stores.flatMap((store) => [...store.values()]);
  const present = new Map(observed.map((object) => [toObjectKey(object), object]));
  const unknown = new Set<Manifest>();
  let rejected = false;
  for (const manifest of manifests.filter(({ kind }) => kind === 'Namespace')) {
    try {
      const found = await findObject(cluster.client, toManifestPath(manifest));
      if (found) present.set(toObjectKey(manifest), ObservedObject.parse(found));
    } catch (error) {
      if (!isRejected(error)) throw error;
      unknown.add(manifest);
      rejected = true;
    }
  }
  const findings = manifests
    .filter((manifest) => !unknown.has(manifest))
    .flatMap((manifest) => findManifestDrift(manifest, present.get(toObjectKey(manifest))) ?? []);
  return { findings, rejected };
};

/** In every mode they are put back: what keeps tenants in bounds is not theirs to observe. */
const decideFindings = async (
  { db }: AccessDeps,
  { workspace }: AccessRequest,
  findings: readonly Finding[],
): Promise<Decision[]> => {
  const known = await listKnownDrift(db, workspace.id, REPAIRS_WITHIN_MS / 1000);
  return decide(findings, { mode: 'enforce', known, now: new Date(), adopt: () => '' });
};

const toDecision = (
  finding: Finding,
  action: 'repaired' | 'pending',
  reason: string,
): Decision => ({
  finding,
  action,
  reason,
  withhold: false,
  retryAt: undefined,
  adoption: undefined,
});

const PUT_BACK = 'It was put back, in whatever mode, and the policies were proven again.';

const toRepaired = (
  { log }: AccessDeps,
  { workspace }: AccessRequest,
  { cluster, repaired, repairedAt }: Access,
): Guarded => {
  const objects = repaired.map(({ key }) => key);
  if (objects.length > 0) {
    log.warn({ workspace: workspace.id, objects }, 'policies and presets were put back');
  }
  const decisions = repaired.map((finding) => ({
    ...toDecision(finding, 'repaired', PUT_BACK),
    ...(repairedAt && { foundAt: repairedAt }),
  }));
  return { cluster, decisions, fault: undefined };
};

const MEANWHILE =
  'Until then rights are given and taken as before, but what these objects should refuse may not be refused.';

const toContested = (decisions: readonly Decision[]): PolicyError => {
  const times = decisions.flatMap(({ retryAt }) => retryAt ?? []);
  const next = new Date(Math.min(...times.map(Number))).toISOString();
  return new PolicyError(
    'PoliciesContested',
    `Something keeps changing what keeps tenants in bounds: ${list(decisions)}. It was put back three times in ten minutes, and is again at ${next}. ${MEANWHILE} Only system:masters can do that: find who has such a credential, see the condition Drifted, and take it away.`,
  );
};

const toNotRepaired = (
  cluster: WorkspaceCluster,
  decisions: readonly Decision[],
  error: unknown,
): Guarded => {
  const why = toReason(error);
  const what =
    decisions.length > 0
      ? `${list(decisions)} is not as it should be in the cluster`
      : 'The cluster does not accept our identity in it';
  const message = `${what}, and could not be put back: ${why} ${MEANWHILE}`;
  return {
    cluster,
    decisions: decisions.map((decision) => ({
      ...decision,
      ...toDecision(decision.finding, 'pending', `It could not be put back yet: ${why}`),
    })),
    fault: new PolicyError('PoliciesNotRepaired', message, { cause: error }),
  };
};

const toReason = (error: unknown): string => {
  if (isUnauthorized(error)) {
    return 'The credential that installs them is no longer accepted (401). For an attached cluster, put a new kubeconfig at PUT /v1/workspaces/{workspace}/attached-cluster.';
  }
  if (error instanceof ProvisioningError) return error.message;
  return error instanceof KubernetesError ? `${error.message}.` : toGeneralFault(error);
};

const LONGEST_LIST = 10;

const list = (decisions: readonly Decision[]): string => {
  const names = decisions.map(({ finding: { kind, name } }) => `${kind} ${name}`);
  const more = names.length > LONGEST_LIST ? ` and ${names.length - LONGEST_LIST} more` : '';
  return `${names.slice(0, LONGEST_LIST).join(', ')}${more}`;
};
