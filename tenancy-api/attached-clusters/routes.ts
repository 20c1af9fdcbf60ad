/** Existing clusters of workspaces: their kubeconfig, and what their API servers have to be told. */
import * as z from 'zod';
import { PROBLEMS } from '../problems.ts';
import { defineRoute } from '../route.ts';
import { taskHeaders } from '../schema.ts';
import { acceptedTask } from '../tasks/accepted.ts';
import { toTask } from '../tasks/schema.ts';
import { toWorkspace, WorkspaceCreated } from '../workspaces/schema.ts';
import { AttachedCluster } from './schema.ts';
import { renderAuthenticationConfiguration, replaceAttachedCluster } from './service.ts';

/** The answer that is an AuthenticationConfiguration: of YAML a schema describes the content, which is Kubernetes' own. */
const AuthenticationConfigurationText = z.unknown().meta({
  id: 'AuthenticationConfiguration',
  description: 'An AuthenticationConfiguration (apiserver.config.k8s.io/v1) in YAML.',
  examples: [
    'apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\njwt: […]\n',
  ],
});

export const attachedClusterRoutes = [
  defineRoute({
    method: 'PUT',
    path: '/v1/workspaces/{workspace}/attached-cluster',
    summary: 'Replace the kubeconfig of an attached cluster',
    description:
      'It must lead to the same cluster as before. It is sealed at once and shown to nobody; rbac-sync alone can open it.',
    permission: { organizationOfWorkspace: 'workspace:manage' },
    body: AttachedCluster,
    responses: {
      202: {
        description: 'It is recorded; the task ends when the cluster was reached by it.',
        body: WorkspaceCreated,
        headers: taskHeaders,
      },
    },
    problems: [PROBLEMS.unprocessable],
    handler: async ({ context, access, body }) => {
      const { workspace, task } = await replaceAttachedCluster(context, access, body);
      return acceptedTask(task, {
        workspace: toWorkspace(workspace, context.issuer),
        task: toTask(task),
      });
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces/{workspace}/authentication-configuration',
    summary: 'Download what a workspace’s API server has to trust',
    description:
      'For an attached cluster: start its kube-apiserver with `--authentication-config` and this file. The condition TrustsIssuer says whether it took effect.',
    permission: { workspace: 'workspace:write', orOrganization: 'workspace:manage' },
    responses: {
      200: {
        description: 'An AuthenticationConfiguration for this workspace alone.',
        body: AuthenticationConfigurationText,
        type: 'application/yaml',
      },
    },
    handler: async ({ context, access }) => ({
      status: 200,
      body: renderAuthenticationConfiguration(context, access),
    }),
  }),
];
