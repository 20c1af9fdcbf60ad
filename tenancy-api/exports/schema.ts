import * as z from 'zod';
import { LeftOut } from '../imports/schema.ts';
import { ConnectorName } from '../schema.ts';

/** Which export. */
export const ExportQuery = z.strictObject({
  connector: ConnectorName.describe('Members are named by their subjects at this connector.').meta({
    examples: ['github'],
  }),
});

/** A group with the subjects of its direct members, as a row. */
export const ExportedGroupRow = z.strictObject({
  name: z.string(),
  display_name: z.string(),
  parent: z.string().nullable(),
  members: z.array(z.string()),
});
export type ExportedGroupRow = z.infer<typeof ExportedGroupRow>;

/** How many there are of what an export leaves out, as a row. */
export const LeftOutRow = LeftOut;

/** A workspace's groups and members: what an import takes, as it is. */
export const Export = z
  .strictObject({
    connector: z.string(),
    groups: z
      .array(
        z.strictObject({
          name: z.string(),
          display_name: z.string(),
          parent: z.string().nullable().describe('null: directly below WorkspaceMembers.'),
          members: z.array(z.string()),
        }),
      )
      .describe('By name, without the presets.'),
    members: z.array(z.string()),
    left_out: LeftOut,
  })
  .meta({ id: 'Export' });
export type Export = z.infer<typeof Export>;
