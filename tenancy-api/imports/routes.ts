/** Imports of groups and members. */
import { defineRoute } from '../route.ts';
import { Import, ImportResult } from './schema.ts';
import { importGroups } from './service.ts';

const BODY_LIMIT = 8 * 1024 * 1024;

export const importRoutes = [
  defineRoute({
    method: 'POST',
    path: '/v1/workspaces/{workspace}/imports',
    summary: 'Import a tree of groups with its members, as a whole or not at all',
    permission: { workspace: 'group:write' },
    body: Import,
    bodyLimit: BODY_LIMIT,
    responses: {
      200: { description: 'What the import changed; nothing when repeated.', body: ImportResult },
    },
    handler: async ({ context, access, body }) => ({
      status: 200,
      body: await importGroups(context, access, body),
    }),
  }),
];
