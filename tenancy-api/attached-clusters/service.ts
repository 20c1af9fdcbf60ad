/** Kubeconfigs of existing clusters: judged, sealed to rbac-sync's key, and never opened here again. */
import { stringify } from 'yaml';
import {
  type AttachedKubeconfig,
  KubeconfigError,
  parseAttachedKubeconfig,
  toKubeconfigPurpose,
} from '#domain/attached-kubeconfig.ts';
import { authenticationConfiguration } from '#domain/authentication-configuration.ts';
import { sealLetter } from '#runtime/sealed-letter.ts';
import type { WorkspaceAccess } from '../access.ts';
import { recordClusterChange } from '../change.ts';
import type { RequestContext } from '../context.ts';
import { bodyProblem, PROBLEMS, Problem } from '../problems.ts';
import type { TaskRow } from '../tasks/schema.ts';
import { getWorkspace } from '../workspaces/queries.ts';
import type { WorkspaceRow } from '../workspaces/schema.ts';
import { replaceKubeconfig } from './queries.ts';
import type { AttachedCluster } from './schema.ts';

/** What is sealed, and what of it may be told. */
export type SealedCluster = { readonly sealed: string; readonly server: string };

/**
 * Judges a kubeconfig and seals it for a workspace.
 *
 * @param path of the kubeconfig in the body
 * @throws Problem unprocessable, with what is wrong and nothing of its content
 */
export const sealKubeconfig = async (
  { kubeconfigKey }: RequestContext,
  { kubeconfig, workspaceId }: AttachedCluster & { readonly workspaceId: string },
  path: readonly string[],
): Promise<SealedCluster> => {
  if (!kubeconfigKey) {
    throw bodyProblem(
      PROBLEMS.unprocessable,
      path,
      'This platform takes no existing clusters: its operator has set no key to seal kubeconfigs with.',
    );
  }
  const { server } = judge(kubeconfig, path);
  return {
    server,
    sealed: await sealLetter(kubeconfigKey, toKubeconfigPurpose(workspaceId), kubeconfig),
  };
};

const judge = (kubeconfig: string, path: readonly string[]): AttachedKubeconfig => {
  try {
    return parseAttachedKubeconfig(kubeconfig);
  } catch (error) {
    if (!(error instanceof KubeconfigError)) throw error;
    throw bodyProblem(PROBLEMS.unprocessable, path, `The kubeconfig is refused. ${error.message}`);
  }
};

/**
 * Replaces the kubeconfig of a workspace's attached cluster; also while it is suspended or being deleted,
 * because rbac-sync needs one then too.
 *
 * @throws Problem unprocessable when it is no good, or the workspace has no attached cluster
 */
export const replaceAttachedCluster = async (
  context: RequestContext,
  { workspaceId, organizationId }: WorkspaceAccess,
  { kubeconfig }: AttachedCluster,
): Promise<{ readonly workspace: WorkspaceRow; readonly task: TaskRow }> => {
  const { sealed, server } = await sealKubeconfig(context, { kubeconfig, workspaceId }, [
    'kubeconfig',
  ]);
  if (!(await replaceKubeconfig(context.tx, { workspaceId, sealed }))) {
    throw new Problem(
      PROBLEMS.unprocessable,
      'The workspace has no attached cluster: whether it has one is decided when it is made.',
    );
  }
  const task = await recordClusterChange(context, {
    action: 'workspace.replace-kubeconfig',
    organizationId,
    workspaceId,
    targetId: workspaceId,
    after: { server },
  });
  const workspace = await getWorkspace(context.tx, workspaceId, context.personId);
  return { workspace, task };
};

/** What a workspace's kube-apiserver is to be started with, as YAML; nothing secret is in it. */
export const renderAuthenticationConfiguration = (
  { issuer }: RequestContext,
  { workspaceId }: WorkspaceAccess,
): string => stringify(authenticationConfiguration(workspaceId, issuer), { lineWidth: 0 });
