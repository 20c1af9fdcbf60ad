/** Which groups of identity providers make members of a workspace's groups. Runs under its lock. */
import { violates } from '#database/constraint.ts';
import { createId } from '#domain/identifiers.ts';
import type { WorkspaceAccess } from '../access.ts';
import { withinOwnTime } from '../admins.ts';
import { recordChange } from '../change.ts';
import { getConnector } from '../connectors/service.ts';
import type { RequestContext } from '../context.ts';
import { getGroup } from '../groups/service.ts';
import { bodyProblem, notFound, PROBLEMS, Problem } from '../problems.ts';
import {
  amInUpstreamGroup,
  applyGroupMapping,
  deleteGroupMapping,
  findGroupMapping,
  insertGroupMapping,
} from './queries.ts';
import type { CreateGroupMapping, GroupMappingRow } from './schema.ts';

/** What a mapping is made from; `groupId` is a UUID. */
export type GroupMappingInput = CreateGroupMapping & { readonly groupId: string };

/**
 * Makes everybody in an upstream group a member of a group, now and from now on.
 *
 * @throws Problem not-found, unprocessable for a connector that isn't there or tells no groups,
 * forbidden for whoever isn't in the upstream group, or would so make admins for longer than they are one,
 * already-exists
 */
export const createGroupMapping = async (
  context: RequestContext,
  access: WorkspaceAccess,
  { groupId, connector, upstream_group: upstreamGroup }: GroupMappingInput,
): Promise<GroupMappingRow> => {
  const { tx, personId } = context;
  const { workspaceId } = access;
  await getGroup(context, workspaceId, groupId);
  await assertProvidesGroups(context, connector);
  await assertInside(context, connector, upstreamGroup);
  const key = { workspaceId, groupId };
  const mapping = { ...key, id: createId(), connector, upstreamGroup, createdBy: personId };
  const members = await withinOwnTime(context, workspaceId, async () => {
    await insertGroupMapping(tx, mapping).catch((error: unknown) => {
      throw isMappedAlready(error) ? mappedAlready(upstreamGroup) : error;
    });
    return applyGroupMapping(tx, mapping.id);
  });
  await recordChange(context, {
    ...access,
    action: 'group-mapping.create',
    targetId: mapping.id,
    after: { group_id: groupId, connector, upstream_group: upstreamGroup, members },
  });
  return getGroupMapping(context, key, mapping.id);
};

const assertProvidesGroups = async (context: RequestContext, connector: string): Promise<void> => {
  const { provides_groups, type } = await getConnector(context, connector);
  if (provides_groups) return;
  throw bodyProblem(
    PROBLEMS.unprocessable,
    ['connector'],
    `The connector "${connector}" tells no groups${type === 'local' ? '' : ', until whoever runs the platform configures it to'}.`,
  );
};

/** Else whoever has a workspace could read the members of any group at the provider from their list. */
const assertInside = async (
  context: RequestContext,
  connector: string,
  upstreamGroup: string,
): Promise<void> => {
  if (await amInUpstreamGroup(context.tx, connector, upstreamGroup)) return;
  if (await context.isPlatformAdmin(context.tx)) return;
  throw new Problem(
    PROBLEMS.forbidden,
    `You can map only groups that you are in yourself. As far as the connector "${connector}" has told, you are not in "${upstreamGroup}": sign in with it again if that is new, or ask someone in the group, as an admin of the workspace, to map it.`,
  );
};

const isMappedAlready = (error: unknown): boolean =>
  violates(error, 'group_mapping__group_id_connector_upstream_group__unique');

const mappedAlready = (upstreamGroup: string): Problem =>
  bodyProblem(
    PROBLEMS.alreadyExists,
    ['upstream_group'],
    `"${upstreamGroup}" is mapped to this group already.`,
  );

const getGroupMapping = async (
  { tx }: RequestContext,
  key: { readonly workspaceId: string; readonly groupId: string },
  mappingId: string,
): Promise<GroupMappingRow> => {
  const mapping = await findGroupMapping(tx, key, mappingId);
  if (!mapping) throw notFound();
  return mapping;
};

/**
 * Deletes a mapping; whom it alone made members leaves the group, and the workspace if nothing else holds
 * them there.
 *
 * @throws Problem not-found
 */
export const removeGroupMapping = async (
  context: RequestContext,
  access: WorkspaceAccess,
  { groupId, mappingId }: { readonly groupId: string; readonly mappingId: string },
): Promise<void> => {
  const key = { workspaceId: access.workspaceId, groupId };
  const { connector, upstream_group, members } = await getGroupMapping(context, key, mappingId);
  // Recorded first: whoever was a member by this alone sees nothing of the workspace afterwards.
  await recordChange(context, {
    ...access,
    action: 'group-mapping.delete',
    targetId: mappingId,
    before: { group_id: groupId, connector, upstream_group, members },
  });
  await deleteGroupMapping(context.tx, key, mappingId);
};
