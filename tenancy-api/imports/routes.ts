/** Imports of groups and members. */
import { PROBLEMS } from '../problems.ts';
import { defineRoute } from '../route.ts';
import { Import, ImportQuery, ImportResult } from './schema.ts';
import { importGroups } from './service.ts';

const BODY_LIMIT = 8 * 1024 * 1024;

export const importRoutes = [
  defineRoute({
    method: 'POST',
    path: '/v1/workspaces/{workspace}/imports',
    summary: 'Import a tree of groups with its members, as a whole or not at all',
    permission: { workspace: 'group:write' },
    query: ImportQuery,
    body: Import,
    dryRun: true,
    bodyLimit: BODY_LIMIT,
    responses: {
      200: {
        description: 'What the import changed, or would in a dry run; nothing when repeated.',
        body: ImportResult,
      },
    },
    problems: [
      PROBLEMS.preconditionFailed,
      PROBLEMS.invalidParent,
      PROBLEMS.unprocessable,
      PROBLEMS.importRefused,
      PROBLEMS.importTooLarge,
      PROBLEMS.lastAdmin,
    ],
    handler: async ({ context, access, query, body }) => ({
      status: 200,
      body: await importGroups(context, access, { input: body, digest: query.digest }),
    }),
  }),
];
