/** The life of workspaces: plan, suspension and deletion, by users of their organization. */
import type { RequestContext } from '../context.ts';
import { PROBLEMS } from '../problems.ts';
import { defineRoute } from '../route.ts';
import { taskHeaders } from '../schema.ts';
import { acceptedTask } from '../tasks/accepted.ts';
import { toTask } from '../tasks/schema.ts';
import {
  deleteWorkspace,
  type LifeChange,
  restoreWorkspace,
  resumeWorkspace,
  suspendWorkspace,
} from './life.ts';
import {
  ChangePlan,
  DeleteWorkspaceQuery,
  PlanChanged,
  WorkspaceChanged,
  WorkspaceDeletion,
} from './life-schema.ts';
import { changePlan } from './plan-change.ts';
import { toWorkspace } from './schema.ts';

const MANAGE = { organizationOfWorkspace: 'workspace:manage' } as const;

const changeResponses = (already: string, accepted: string) => ({
  200: { description: already, body: WorkspaceChanged },
  202: { description: accepted, body: WorkspaceChanged, headers: taskHeaders },
});

const answerChange = ({ issuer }: RequestContext, change: LifeChange) => {
  const workspace = toWorkspace(change.workspace, issuer);
  const { task } = change;
  if (!task) return { status: 200, body: { workspace, task: null } } as const;
  return acceptedTask(task, { workspace, task: toTask(task) });
};

export const workspaceLifeRoutes = [
  defineRoute({
    method: 'PUT',
    path: '/v1/workspaces/{workspace}/plan',
    summary: 'Change the plan of a workspace, or see what that would mean',
    permission: MANAGE,
    body: ChangePlan,
    dryRun: true,
    responses: {
      200: { description: 'What it would mean, or nothing to change.', body: PlanChanged },
      202: {
        description: 'It has the plan; the task ends when its cluster has the quotas.',
        body: PlanChanged,
        headers: taskHeaders,
      },
    },
    problems: [PROBLEMS.workspaceDeleting, PROBLEMS.planDoesNotFit, PROBLEMS.unprocessable],
    handler: async ({ context, access, body }) => {
      const { workspace: row, change, task } = await changePlan(context, access, body.plan);
      const workspace = toWorkspace(row, context.issuer);
      if (!task) return { status: 200, body: { workspace, change, task: null } };
      return acceptedTask(task, { workspace, change, task: toTask(task) });
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/workspaces/{workspace}/suspend',
    summary: 'Suspend a workspace: nobody gets in, its control plane stops, its data stays',
    permission: MANAGE,
    responses: changeResponses(
      'It is suspended already.',
      'It is suspended; the task ends when its control plane is stopped.',
    ),
    problems: [PROBLEMS.workspaceDeleting],
    handler: async ({ context, access }) =>
      answerChange(context, await suspendWorkspace(context, access)),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/workspaces/{workspace}/resume',
    summary: 'Resume a suspended workspace',
    permission: MANAGE,
    responses: changeResponses(
      'It is active already.',
      'It is active; the task ends when its cluster is up and verified.',
    ),
    problems: [PROBLEMS.workspaceDeleting],
    handler: async ({ context, access }) =>
      answerChange(context, await resumeWorkspace(context, access)),
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/workspaces/{workspace}',
    summary: 'Delete a workspace after a grace period, or see what would go',
    permission: MANAGE,
    query: DeleteWorkspaceQuery,
    dryRun: true,
    responses: {
      200: { description: 'What would go, or is going already.', body: WorkspaceDeletion },
      202: {
        description: 'It is scheduled; the task ends when its control plane is stopped.',
        body: WorkspaceDeletion,
        headers: taskHeaders,
      },
    },
    problems: [PROBLEMS.unprocessable],
    handler: async ({ context, access, query }) => {
      const deletion = await deleteWorkspace(context, access, query.confirm);
      const workspace = toWorkspace(deletion.workspace, context.issuer);
      const delete_after = workspace.delete_after ?? '';
      const body = { workspace, delete_after, contents: deletion.contents };
      const { task } = deletion;
      if (!task || context.dryRun) return { status: 200, body: { ...body, task: null } };
      return acceptedTask(task, { ...body, task: toTask(task) });
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/workspaces/{workspace}/restore',
    summary: 'Take the deletion of a workspace back',
    permission: MANAGE,
    responses: changeResponses(
      'It is not being deleted.',
      'It stays; the task ends when its cluster is as it was before.',
    ),
    problems: [PROBLEMS.workspaceDeleting],
    handler: async ({ context, access }) =>
      answerChange(context, await restoreWorkspace(context, access)),
  }),
];
