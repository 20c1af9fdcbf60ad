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

/** What an export could not say in this format; ignored by an import. */
export const LeftOut = z
  .strictObject({
    members: z.int().describe('Members of the workspace without an identity of the connector.'),
    memberships: z.int().describe('Memberships of theirs.'),
    expiring_memberships: z.int().describe('Memberships that end by themselves: they would not.'),
    preset_memberships: z.int().describe('Memberships in the presets, which no import changes.'),
    service_accounts: z.int(),
  })
  .meta({ id: 'LeftOut' });

/** Groups with their members, as other systems export them. */
export const Import = z
  .strictObject({
    connector: ConnectorName.describe(
      'The identity provider whose subjects the members are: one of the connectors.',
    ),
    parent: z
      .string()
      .max(200)
      .default('WorkspaceMembers')
      .describe('The id or the name of the group that the roots go below.'),
    names: z
      .enum(['refuse', 'fit'])
      .default('refuse')
      .describe(
        'Names that no group can have, such as "sig release": the import is refused with suggestions, or they are made to fit and become the display name. The same name becomes the same group each time.',
      ),
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
    left_out: LeftOut.optional().describe('As an export has it; not used.'),
  })
  .meta({
    id: 'Import',
    examples: [
      {
        connector: 'github',
        names: 'fit',
        groups: [
          { name: 'sig release', parent: null, members: ['583231'] },
          { name: 'release-managers', parent: 'sig release', members: ['583231', '9919'] },
        ],
      },
    ],
  });
export type Import = z.infer<typeof Import>;

/** How an import is carried out. */
export const ImportQuery = z.strictObject({
  digest: z
    .string()
    .max(100)
    .optional()
    .describe(
      'The digest that a dry run has answered: carried out is what it showed, or nothing (412).',
    ),
});

/** The most entries that each list of a diff shows. */
export const MAX_DIFF = 1000;

const Diff = z
  .strictObject({
    groups_added: z.array(
      z.strictObject({
        name: z.string(),
        display_name: z.string(),
        parent: z.string().nullable(),
        imported_as: z.string().nullable().describe('The name in the import, where it didn’t fit.'),
      }),
    ),
    groups_moved: z
      .array(
        z.strictObject({
          name: z.string(),
          from: z.string().nullable(),
          to: z.string().nullable(),
        }),
      )
      .describe('With the names of the parents.'),
    groups_renamed: z
      .array(z.strictObject({ name: z.string(), from: z.string(), to: z.string() }))
      .describe('With the display names.'),
    members_added: z.array(z.string()).describe('Subjects.'),
    memberships_added: z.array(z.strictObject({ group: z.string(), subject: z.string() })),
  })
  .meta({ id: 'ImportDiff' });

/** What an import changed; all zero when it was done before. */
export const ImportResult = z
  .strictObject({
    groups_added: z.int(),
    groups_moved: z.int(),
    groups_renamed: z.int().describe('Groups that got another display name, moved or not.'),
    groups_unchanged: z.int(),
    members_added: z.int(),
    memberships_added: z.int(),
    diff: Diff.describe(`What is counted above, at most ${MAX_DIFF} entries in each list.`),
    digest: z.string().describe('Of all changes, shown or not: for ?digest=.'),
    ...tokenTimes,
  })
  .meta({ id: 'ImportResult' });
export type ImportResult = z.infer<typeof ImportResult>;
