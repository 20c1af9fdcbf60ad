/** Projects: each is a namespace with the plan's quota. */
import { answerPage, PageQuery, pageOf } from '../cursor.ts';
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
  TaskStarted,
  toProject,
} from './schema.ts';
import { createProject, deleteProject, getProject } from './service.ts';

export const projectRoutes = [
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces/{workspace}/projects',
    summary: 'List the projects of a workspace',
    permission: { workspace: 'project:read' },
    query: PageQuery,
    responses: { 200: { description: 'A page.', body: pageOf(Project, 'Project') } },
    handler: ({ context, access, query }) =>
      answerPage(context, query, {
        read: (page) => listProjects(context.tx, access.workspaceId, page),
        idOf: (row) => row.id,
        toItem: toProject,
      }),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/workspaces/{workspace}/projects',
    summary: 'Create a project',
    permission: { workspace: 'project:write' },
    body: CreateProject,
    responses: {
      202: {
        description: 'The project is recorded; the task ends when its namespace is there.',
        body: ProjectCreated,
        headers: taskHeaders,
      },
    },
    handler: async ({ context, access, body }) => {
      const { project, task } = await createProject(context, access, body);
      return acceptedTask(task, { project: toProject(project), task: toTask(task) });
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces/{workspace}/projects/{project}',
    summary: 'Read a project',
    permission: { workspace: 'project:read' },
    responses: { 200: { description: 'The project.', body: Project } },
    handler: async ({ context, access, params }) => ({
      status: 200,
      body: toProject(await getProject(context, access.workspaceId, params.project)),
    }),
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/workspaces/{workspace}/projects/{project}',
    summary: 'Delete a project and everything in its namespace',
    permission: { workspace: 'project:write' },
    query: DeleteProjectQuery,
    responses: {
      202: {
        description: 'It is gone; the task ends when its namespace is.',
        body: TaskStarted,
        headers: taskHeaders,
      },
    },
    handler: async ({ context, access, params, query }) => {
      const deletion = { projectId: params.project, confirm: query.confirm };
      const task = await deleteProject(context, access, deletion);
      return acceptedTask(task, { task: toTask(task) });
    },
  }),
];
