/** What a look at a workspace's cluster would change in it, for showing: the answer to a dry run. */
import * as z from 'zod';

/** The kind of the task of a diff; it waits for no generation and changes nothing. */
export const DIFF_TASK = 'workspace.diff';

/** A Kubernetes object with the fields that are managed here and no others. */
const ShownObject = z.record(z.string(), z.unknown());
export type ShownObject = z.infer<typeof ShownObject>;

/** One object that would be written or deleted. */
export const ObjectDiff = z.strictObject({
  action: z.enum(['create', 'update', 'delete']),
  kind: z.string(),
  namespace: z.string().nullable().describe('null: an object of the whole cluster.'),
  name: z.string(),
  before: ShownObject.nullable().describe('null: it is not there.'),
  after: ShownObject.nullable().describe('null: it would be gone.'),
  checked: z
    .boolean()
    .describe(
      'Whether the API server was asked, by a server-side dry run. It is not, where it could not know: in a namespace that is yet to be made or taken over, for a binding that has to go before it is made anew, or without a cluster.',
    ),
  refusal: z.string().nullable().describe('Why the API server would refuse it.'),
});
export type ObjectDiff = z.infer<typeof ObjectDiff>;

/** All that would change, in the order in which it would. */
export const ClusterDiff = z.strictObject({
  generation: z.int().describe('The generation of the workspace that was compared.'),
  objects: z.array(ObjectDiff),
  omitted: z
    .int()
    .min(0)
    .describe('How many more objects would change: too many, or too large, to be shown.'),
  notes: z.array(z.string()).describe('What else there is to know, in sentences.'),
});
export type ClusterDiff = z.infer<typeof ClusterDiff>;

/** How many objects a diff shows, and how long their JSON may be in all, in characters. */
export const DIFF_LIMITS = { objects: 500, characters: 1_048_576 } as const;
