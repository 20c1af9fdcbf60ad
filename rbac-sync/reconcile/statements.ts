/** What is said of a workspace: the words of its conditions. */
import { ATTACHED_PROVISIONER } from '#domain/attached-kubeconfig.ts';
import { isConnectionError, KubernetesError, toGeneralFault } from '../cluster/kubernetes-error.ts';
import { ProvisioningError } from '../provisioners/provisioner.ts';
import { ApplyError } from '../sync/apply-error.ts';
import { VerificationError } from '../sync/run-verification.ts';
import { type Condition, type Statement, SUSPENDED } from '../workspace/conditions.ts';
import type { Workspace } from '../workspace/workspace-queries.ts';
import { PolicyError } from './policy-error.ts';

/**
 * The control plane answers.
 *
 * @param notes what a reader should know besides, in sentences
 * @param isWhole whether policies and presets are as they should be
 */
export const provisioned = (notes: readonly string[] = [], isWhole = true): Statement => ({
  type: 'Provisioned',
  status: 'True',
  reason: 'Running',
  message: [
    isWhole
      ? 'The control plane answers, and policies and presets are in force.'
      : 'The control plane answers, but not all policies and presets are as they should be: see Synced.',
    ...notes,
  ].join(' '),
});

/** Its API server is told to take the issuer's tokens, and nobody has asked whether it does. */
export const TRUSTS_ISSUER: Statement = {
  type: 'TrustsIssuer',
  status: 'True',
  reason: 'Configured',
  message: 'The API server is configured to accept the issuer’s tokens for this workspace only.',
};

/**
 * @param notes what a reader should know besides, in sentences without their full stops
 * @param leftAlone how many objects are other than they should be and are left so: with any, nobody can
 * say that every right is as it should be
 */
export const synced = (notes: readonly string[], leftAlone = 0): Statement => {
  const objects = leftAlone === 1 ? '1 object is' : `${leftAlone} objects are`;
  const first =
    leftAlone === 0
      ? 'Every right is in force as it should be.'
      : `Everything else is in force as it should be, but ${objects} left as found: see the condition Drifted.`;
  return {
    type: 'Synced',
    status: 'True',
    reason: leftAlone === 0 ? 'Verified' : 'VerifiedButDrifted',
    message: [first, ...notes.map((note) => `${note}.`)].join(' '),
  };
};

const NOT_DRIFTED: Statement = {
  type: 'Drifted',
  status: 'False',
  reason: 'NothingFound',
  message: 'The last look found nothing that nobody had asked for.',
};

/** A repair makes the watches ask for another look at once: what it found must stay to be read. */
const SHOWN_MS = 60_000;

/** What a look that found no drift says of it: nothing, while the last drift is less than a minute ago. */
export const notDrifted = (conditions: readonly Condition[], now: Date): Statement[] => {
  const last = conditions.find(({ type }) => type === 'Drifted');
  const isRecent =
    last?.status === 'True' &&
    last.reason === 'Repaired' &&
    now.getTime() - Date.parse(last.lastTransitionTime) < SHOWN_MS;
  return isRecent ? [] : [NOT_DRIFTED];
};

/** What holds while the control plane is stopped on purpose; one that is attached is left running. */
export const stopped = ({ life, deleteAfter, cluster }: Workspace): Statement[] => {
  const isAttached = cluster?.provisioner === ATTACHED_PROVISIONER;
  const what = isAttached
    ? 'The attached cluster runs on: it gets no tokens, and what gave rights to groups of the workspace is taken out of it.'
    : 'The control plane is stopped, and its data is kept.';
  const why = isAttached ? 'nobody looks at the cluster' : 'the control plane is stopped';
  const until =
    life === 'deleting' ? ` The workspace goes for good after ${deleteAfter?.toISOString()}.` : '';
  const unknown = ['TrustsIssuer', 'Synced', 'Drifted'] as const;
  return [
    {
      type: 'Provisioned',
      status: 'False',
      reason: SUSPENDED,
      message: `${what}${until}`,
    },
    ...unknown.map(
      (type): Statement => ({
        type,
        status: 'Unknown',
        reason: SUSPENDED,
        message: `Nobody can tell while ${why}.`,
      }),
    ),
  ];
};

/** Whether the last look left everything verified. */
export const wasSynced = (statements: readonly Statement[]): boolean =>
  statements.some(({ type, status }) => type === 'Synced' && status === 'True');

/** The reason when what was written is not seen in force. */
export const NOT_IN_FORCE = 'NotInForce';

/** What an API server said is for the workspace's members; paths, SQL and logs of ours are not. */
const isTellable = (error: unknown): error is Error =>
  error instanceof KubernetesError ||
  error instanceof ProvisioningError ||
  error instanceof ApplyError ||
  error instanceof PolicyError ||
  error instanceof VerificationError;

const REACHED: ReadonlySet<Condition['type']> = new Set(['TrustsIssuer', 'Synced']);

/** What was so when there was a way to the control plane, and is not looked at without one. */
export const doubted = (
  conditions: readonly Condition[],
  statements: readonly Statement[],
): Statement[] => {
  const stated = new Set(statements.map(({ type }) => type));
  return conditions
    .filter(({ type, status }) => REACHED.has(type) && status === 'True' && !stated.has(type))
    .map(({ type }) => ({
      type,
      status: 'Unknown',
      reason: 'NotReached',
      message: 'It was so when the control plane was last reached; nobody can tell now.',
    }));
};

/** What failed is the first thing that could not be stated. */
export const toFault = (statements: readonly Statement[], error: unknown): Statement => {
  const message = isTellable(error) ? error.message : toGeneralFault(error);
  const stated = new Set(statements.map(({ type }) => type));
  if (!stated.has('Provisioned')) {
    const reason = error instanceof ProvisioningError ? error.reason : 'ProvisioningFailed';
    return { type: 'Provisioned', status: 'False', reason, message };
  }
  const reason =
    error instanceof VerificationError
      ? NOT_IN_FORCE
      : error instanceof ApplyError || error instanceof PolicyError
        ? error.reason
        : isConnectionError(error)
          ? 'Unreachable'
          : 'InternalFault';
  return { type: 'Synced', status: 'False', reason, message };
};
