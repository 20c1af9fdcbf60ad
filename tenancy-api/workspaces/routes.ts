/** Workspaces: made by organization users, used by members. */
import { answerSortedPage, pageOf } from '../cursor.ts';
import { etagHeaders, versionHeaders } from '../etag.ts';
import { PROBLEMS } from '../problems.ts';
import { defineRoute } from '../route.ts';
import { taskHeaders } from '../schema.ts';
import { acceptedTask } from '../tasks/accepted.ts';
import { toTask } from '../tasks/schema.ts';
import { Kubeconfig } from './kubeconfig.ts';
import { getWorkspace, listWorkspaces } from './queries.ts';
import {
  CreateWorkspace,
  KubeconfigQuery,
  ListWorkspacesQuery,
  OrganizationWorkspacesQuery,
  toWorkspace,
  UpdateWorkspace,
  Workspace,
  WorkspaceCreated,
} from './schema.ts';
import {
  createWorkspace,
  getKubeconfig,
  listVisibleWorkspaces,
  updateWorkspace,
} from './service.ts';

export const workspaceRoutes = [
  defineRoute({
    method: 'POST',
    path: '/v1/organizations/{organization}/workspaces',
    summary: 'Create a workspace',
    permission: { organization: 'workspace:create' },
    body: CreateWorkspace,
    responses: {
      202: {
        description: 'The workspace is recorded; the task ends when its cluster obeys it.',
        body: WorkspaceCreated,
        headers: taskHeaders,
      },
    },
    problems: [
      PROBLEMS.organizationDeleting,
      PROBLEMS.organizationLimitReached,
      PROBLEMS.alreadyExists,
      PROBLEMS.unprocessable,
    ],
    handler: async ({ context, params, body }) => {
      const { workspace, task } = await createWorkspace(context, params.organization, body);
      const answer = { workspace: toWorkspace(workspace, context.issuer), task: toTask(task) };
      return acceptedTask(task, answer);
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/organizations/{organization}/workspaces',
    summary: 'List the workspaces of an organization',
    permission: { organization: 'organization:read' },
    query: OrganizationWorkspacesQuery,
    responses: { 200: { description: 'A page.', body: pageOf(Workspace, 'Workspace') } },
    handler: ({ context, params, query }) => {
      const { tx, personId } = context;
      const filter = { personId, organizationId: params.organization, state: query.state ?? null };
      return answerSortedPage(context, query, {
        read: (page) => listWorkspaces(tx, filter, page),
        positionOf: (row) => row,
        toItem: (row) => toWorkspace(row, context.issuer),
      });
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces',
    summary: 'List the workspaces that you are a member of or whose organization you are a user of',
    permission: 'signed-in',
    query: ListWorkspacesQuery,
    responses: { 200: { description: 'A page.', body: pageOf(Workspace, 'Workspace') } },
    handler: ({ context, query }) =>
      answerSortedPage(context, query, {
        read: (page) => listVisibleWorkspaces(context, query, page),
        positionOf: (row) => row,
        toItem: (row) => toWorkspace(row, context.issuer),
      }),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces/{workspace}',
    summary: 'Read a workspace',
    permission: { workspace: 'workspace:read', orOrganization: 'organization:read' },
    responses: { 200: { description: 'The workspace.', body: Workspace, headers: etagHeaders } },
    handler: async ({ context, access }) => {
      const row = await getWorkspace(context.tx, access.workspaceId, context.personId);
      const body = toWorkspace(row, context.issuer);
      return { status: 200, body, headers: versionHeaders(row.version) };
    },
  }),
  defineRoute({
    method: 'PATCH',
    path: '/v1/workspaces/{workspace}',
    summary: 'Rename a workspace',
    permission: { workspace: 'workspace:write', orOrganization: 'workspace:manage' },
    ifMatch: true,
    body: UpdateWorkspace,
    responses: { 200: { description: 'The workspace.', body: Workspace, headers: etagHeaders } },
    handler: async ({ context, access, body }) => {
      const row = await updateWorkspace(context, access, body);
      const workspace = toWorkspace(row, context.issuer);
      return { status: 200, body: workspace, headers: versionHeaders(row.version) };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces/{workspace}/kubeconfig',
    summary: 'Download the kubeconfig of a workspace',
    permission: { workspace: 'workspace:read' },
    query: KubeconfigQuery,
    responses: {
      200: {
        description:
          'A kubeconfig with one context, named by the slugs of organization and workspace, so that it merges with others; no secret in it.',
        body: Kubeconfig,
        type: 'application/yaml',
      },
    },
    problems: [PROBLEMS.notProvisioned, PROBLEMS.unprocessable],
    handler: async ({ context, access, query }) => ({
      status: 200,
      body: await getKubeconfig(context, access.workspaceId, query),
    }),
  }),
];
