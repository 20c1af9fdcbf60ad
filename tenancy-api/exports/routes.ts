/** Exports of groups and members, in the form that imports take. */
import { defineRoute } from '../route.ts';
import { countLeftOut, listExportedGroups, listExportedMembers } from './queries.ts';
import { Export, ExportQuery } from './schema.ts';

export const exportRoutes = [
  defineRoute({
    method: 'GET',
    path: '/v1/workspaces/{workspace}/export',
    summary: 'Export the groups and members of a workspace, as an import takes them',
    permission: { workspace: 'workspace:export' },
    query: ExportQuery,
    responses: { 200: { description: 'The groups and members.', body: Export } },
    handler: async ({ context: { tx }, access: { workspaceId }, query: { connector } }) => {
      const groups = await listExportedGroups(tx, workspaceId, connector);
      const members = await listExportedMembers(tx, workspaceId, connector);
      const leftOut = await countLeftOut(tx, workspaceId, connector);
      const body = { connector, groups: [...groups], members: [...members], left_out: leftOut };
      return { status: 200, body };
    },
  }),
];
