/** What a workspace's objects on the host cluster are called. */
import { formatId } from '#domain/identifiers.ts';

/** The label that says whose a namespace or an object of ours is. */
export const WORKSPACE_LABEL = 'kaas.hexabase.io/workspace';

/** The names of one workspace on its host. */
export type HostNames = {
  /** Public id, the value of {@link WORKSPACE_LABEL}. */
  readonly workspace: string;
  readonly namespace: string;
  /** The chart's release; its StatefulSet and Service have the same name. */
  readonly release: string;
  /** The Secret in which vCluster leaves its kubeconfig. */
  readonly kubeconfigSecret: string;
  /** The Secret with the files that configure the API server. */
  readonly configurationSecret: string;
};

const RELEASE = 'vcluster';

/** @param workspaceId UUID */
export const hostNames = (workspaceId: string): HostNames => {
  const workspace = formatId('workspace', workspaceId);
  return {
    workspace,
    // The namespace tells workspaces apart: one release name keeps everything in it short.
    namespace: workspace.replace('_', '-'),
    release: RELEASE,
    kubeconfigSecret: `vc-${RELEASE}`,
    configurationSecret: 'hexabase-apiserver',
  };
};

/** The labels of everything of ours on the host. */
export const hostLabels = ({ workspace }: HostNames): Record<string, string> => ({
  'app.kubernetes.io/managed-by': 'hexabase',
  [WORKSPACE_LABEL]: workspace,
});

/** Puts a workspace's namespace where a setting says `{workspace}`. */
export const fillTemplate = (template: string, { namespace }: HostNames): string =>
  template.replaceAll('{workspace}', namespace);
