import * as z from 'zod';
import { IMPORT_LIMITS } from '#domain/import-plan.ts';
import { ConnectorName, ConnectorSubject, DisplayName, tokenTimes } from '../schema.ts';

const Note = z.string().max(1000).optional();

/** Names are judged together with the tree, so that one answer holds every fault. */
const ImportGroup = z
  .strictObject({
    name: z.string().max(1000),
    display_name: DisplayName.optional().describe('The name, or as it was, unless given.'),
    parent: z
      .string()
      .max(1000)
      .nullable()
      .describe('The name of a group of the import or of the workspace; null: below `parent`.'),
    members: z.array(ConnectorSubject).default([]).describe('Subjects of the connector.'),
  })
  .meta({ id: 'ImportGroup' });

/** Groups with their members, as other systems export them. */
export const Import = z
  .strictObject({
    connector: ConnectorName.describe('The identity provider whose subjects the members are.'),
    parent: z
      .string()
      .max(200)
      .default('WorkspaceMembers')
      .describe('The id or the name of the group that the roots go below.'),
    groups: z
      .array(ImportGroup)
      .describe(
        `At most ${IMPORT_LIMITS.groups}, with ${IMPORT_LIMITS.memberships} memberships in all.`,
      ),
    members: z
      .array(ConnectorSubject)
      .default([])
      .describe('Members of the workspace, whether or not a group names them.'),
    source: Note.describe('Where the data come from; not used.'),
    commit: Note.describe('Which state of the source they are; not used.'),
    note: Note.describe('A remark; not used.'),
  })
  .meta({ id: 'Import' });
export type Import = z.infer<typeof Import>;

/** What an import changed; all zero when it was done before. */
export const ImportResult = z
  .strictObject({
    groups_added: z.int(),
    groups_moved: z.int(),
    groups_renamed: z.int().describe('Groups that only got another display name.'),
    groups_unchanged: z.int(),
    members_added: z.int(),
    memberships_added: z.int(),
    ...tokenTimes,
  })
  .meta({ id: 'ImportResult' });
export type ImportResult = z.infer<typeof ImportResult>;
