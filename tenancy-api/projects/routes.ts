/** Projects: each is a namespace with the plan's quota; what is given in one holds in those below. */
import { parseId } from '#domain/identifiers.ts';
import { answerSortedPage, pageOf } from '../cursor.ts';
import { etagHeaders, versionHeaders } from '../etag.ts';
import { PROBLEMS } from '../problems.ts';
import { defineRoute } from '../route.ts';
import { taskHeaders } from '../schema.ts';
import { acceptedTask } from '../tasks/accepted.ts';
import { toTask } from '../tasks/schema.ts';
import { listProjects } from './queries.ts';
import {
  CreateProject,
  DeleteProjectQuery,
  Project,
  ProjectCreated,
  ProjectDeletion,
  ProjectQuery,
  ProjectUpdated,
  toProject,
  toProjectMove,
  UpdateProject,
} from './schema.ts';
import { createProject, deleteProject, getProject, updateProject } from './service.ts';

export const projectRoutes = [
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces/{workspace}/projects',
    summary: 'List the projects of a workspace',
    permission: { workspace: 'project:read' },
    query: ProjectQuery,
    responses: { 200: { description: 'A page.', body: pageOf(Project, 'Project') } },
    handler: ({ context, access: { workspaceId }, query }) => {
      const parentId = parseId('project', query.parent ?? '') ?? null;
      const filter = { workspaceId, name: query.name ?? null, parentId };
      return answerSortedPage(context, query, {
        read: (page) => listProjects(context.tx, filter, page),
        positionOf: (row) => row,
        toItem: toProject,
      });
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/workspaces/{workspace}/projects',
    summary: 'Create a project',
    permission: { workspace: 'project:write' },
    body: CreateProject,
    problems: [
      PROBLEMS.planLimitReached,
      PROBLEMS.quotaRefused,
      PROBLEMS.invalidParent,
      PROBLEMS.alreadyExists,
    ],
    responses: {
      202: {
        description: 'The project is recorded; the task ends when its namespace is there.',
        body: ProjectCreated,
        headers: { ...taskHeaders, ...etagHeaders },
      },
    },
    handler: async ({ context, access, body }) => {
      const { project, task } = await createProject(context, access, body);
      const answer = { project: toProject(project), task: toTask(task) };
      return acceptedTask(task, answer, versionHeaders(project.version));
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces/{workspace}/projects/{project}',
    summary: 'Read a project',
    permission: { workspace: 'project:read' },
    responses: { 200: { description: 'The project.', body: Project, headers: etagHeaders } },
    handler: async ({ context, access, params }) => {
      const project = await getProject(context, access.workspaceId, params.project);
      return { status: 200, body: toProject(project), headers: versionHeaders(project.version) };
    },
  }),
  defineRoute({
    method: 'PATCH',
    path: '/v1/workspaces/{workspace}/projects/{project}',
    summary: 'Rename, limit or move a project, or see what a move would mean',
    permission: { workspace: 'project:write' },
    body: UpdateProject,
    ifMatch: true,
    dryRun: true,
    problems: [PROBLEMS.quotaRefused, PROBLEMS.invalidParent],
    responses: {
      200: {
        description: 'What it would be, or a change that the cluster has nothing to hear of.',
        body: ProjectUpdated,
        headers: etagHeaders,
      },
      202: {
        description: 'The change is recorded; the task ends when the cluster obeys it.',
        body: ProjectUpdated,
        headers: { ...taskHeaders, ...etagHeaders },
      },
    },
    handler: async ({ context, access, params, body: change }) => {
      const update = { projectId: params.project, change };
      const { project: row, move: moved, task } = await updateProject(context, access, update);
      const move = moved && toProjectMove(moved);
      const body = { project: toProject(row), move };
      // The version that a dry run would lead to is none that exists.
      if (context.dryRun) return { status: 200, body: { ...body, task: null } };
      const headers = versionHeaders(row.version);
      if (!task) return { status: 200, body: { ...body, task }, headers };
      return acceptedTask(task, { ...body, task: toTask(task) }, headers);
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/workspaces/{workspace}/projects/{project}',
    summary: 'Delete a project and everything in its namespace, or see what would go',
    permission: { workspace: 'project:write' },
    query: DeleteProjectQuery,
    dryRun: true,
    problems: [PROBLEMS.unprocessable, PROBLEMS.projectHasChildren],
    responses: {
      200: { description: 'What would go.', body: ProjectDeletion },
      202: {
        description: 'It is gone; the task ends when its namespace is.',
        body: ProjectDeletion,
        headers: taskHeaders,
      },
    },
    handler: async ({ context, access, params, query }) => {
      const deletion = { projectId: params.project, confirm: query.confirm };
      const { project, contents, task } = await deleteProject(context, access, deletion);
      const body = { project: toProject(project), contents };
      if (context.dryRun) return { status: 200, body: { ...body, task: null } };
      return acceptedTask(task, { ...body, task: toTask(task) });
    },
  }),
];
