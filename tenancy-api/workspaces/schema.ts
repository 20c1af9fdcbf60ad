import * as z from 'zod';
import { formatId } from '#domain/identifiers.ts';
import { AttachedCluster } from '../attached-clusters/schema.ts';
import type { Issuer } from '../context.ts';
import { SortedPageQuery } from '../cursor.ts';
import { Plan, PlanRow, toPlan } from '../plans/schema.ts';
import { DisplayName, Id, Timestamp } from '../schema.ts';
import { Task } from '../tasks/schema.ts';

/** A DNS label of at most 40 characters: the workspace's name in addresses and kubeconfigs. */
const WorkspaceSlug = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/,
    'A slug has 1 to 40 lower-case ASCII letters, digits or "-", and starts and ends with a letter or digit.',
  );

/** What a workspace is made from. */
export const CreateWorkspace = z
  .strictObject({
    name: DisplayName,
    slug: WorkspaceSlug.optional().describe('Unique in the organization; made from the name.'),
    plan: z.string().min(1).max(100).describe('The name or the id of a plan.'),
    cluster: AttachedCluster.optional().describe(
      'An existing cluster to attach, instead of one that is made.',
    ),
  })
  .meta({ id: 'CreateWorkspace', examples: [{ name: 'Online shop', plan: 'starter' }] });
export type CreateWorkspace = z.infer<typeof CreateWorkspace>;

/** What the cluster was last seen to be; as Kubernetes writes conditions. */
const Condition = z
  .strictObject({
    type: z
      .string()
      .describe(
        'Provisioned: the control plane runs. TrustsIssuer: it accepts the tokens of this workspace. Synced: every right is in force as it should be, but for what its message says is left as found. Drifted: something was changed in the cluster past the platform; the reason says whether it was put back, which is said for a minute at least, or stands.',
      ),
    status: z.enum(['True', 'False', 'Unknown']),
    reason: z.string().optional().describe('One word for machines.'),
    message: z.string().optional().describe('A sentence for people.'),
    lastTransitionTime: z.string().optional().describe('When the status last changed.'),
  })
  .meta({ id: 'Condition' });

/** Whether a workspace runs, is stopped, or waits for the end of its grace period. */
export const WorkspaceState = z.enum(['active', 'suspended', 'deleting']);
export type WorkspaceState = z.infer<typeof WorkspaceState>;

/** A workspace as it is stored, with its plan and what the caller is in it. */
export const WorkspaceRow = z.strictObject({
  id: z.uuid(),
  organization_id: z.uuid(),
  slug: z.string(),
  name: z.string(),
  version: z.int(),
  organization_slug: z.string(),
  state: WorkspaceState,
  delete_after: z.date().nullable(),
  organization_deleting: z.boolean(),
  generation: z.int(),
  observed_generation: z.int(),
  conditions: z.array(Condition),
  created_at: z.date(),
  plan: PlanRow,
  member: z.boolean(),
  provisioner: z.string().nullable(),
  server: z.string().nullable(),
  certificate_authority: z.string().nullable(),
});
export type WorkspaceRow = z.infer<typeof WorkspaceRow>;

/** Where a workspace's kube-apiserver is. */
const Endpoint = z
  .strictObject({
    server: z.url(),
    certificate_authority: z.string().describe('PEM.'),
  })
  .meta({ id: 'Endpoint' });

/** A workspace: a cluster of its own, and who may do what in it. */
export const Workspace = z
  .strictObject({
    id: Id('workspace'),
    organization: Id('organization'),
    organization_slug: z
      .string()
      .describe('With the slug, what the workspace is called: `acme/online-shop`.'),
    slug: z.string(),
    name: z.string(),
    plan: Plan,
    state: WorkspaceState.describe(
      'suspended and deleting: its control plane is stopped, its data is kept, and nobody gets tokens for it.',
    ),
    delete_after: Timestamp.nullable().describe(
      'When it goes for good, if it or its organization is being deleted; until then it can be restored.',
    ),
    member: z.boolean().describe('Whether the caller is a member.'),
    generation: z.int().describe('Counts the changes that concern the cluster.'),
    observed_generation: z
      .int()
      .describe('The last generation that was verified in the cluster; up to date when equal.'),
    conditions: z.array(Condition),
    issuer: z.url().describe('The OpenID provider that the cluster trusts.'),
    client_id: z.string().describe('The OIDC client, and the audience of the cluster’s tokens.'),
    provisioner: z
      .string()
      .nullable()
      .describe(
        'What its control plane is from: `attached` is an existing cluster, by its kubeconfig; `null` is one that the platform makes in its usual way.',
      ),
    endpoint: Endpoint.nullable().describe('For members, once the cluster is provisioned.'),
    created_at: Timestamp,
  })
  .meta({ id: 'Workspace' });
export type Workspace = z.infer<typeof Workspace>;

/** A workspace that is being made. */
export const WorkspaceCreated = z
  .strictObject({ workspace: Workspace, task: Task })
  .meta({ id: 'WorkspaceCreated' });

/** The public form of a workspace. */
export const toWorkspace = (row: WorkspaceRow, issuer: Issuer): Workspace => ({
  id: formatId('workspace', row.id),
  organization: formatId('organization', row.organization_id),
  organization_slug: row.organization_slug,
  slug: row.slug,
  name: row.name,
  plan: toPlan(row.plan),
  state: row.state,
  delete_after: row.delete_after?.toISOString() ?? null,
  member: row.member,
  generation: row.generation,
  observed_generation: row.observed_generation,
  conditions: row.conditions,
  issuer: issuer.url,
  client_id: formatId('workspace', row.id),
  provisioner: row.provisioner,
  endpoint:
    row.member && row.server !== null && row.certificate_authority !== null
      ? { server: row.server, certificate_authority: row.certificate_authority }
      : null,
  created_at: row.created_at.toISOString(),
});

/** Which workspaces of an organization a list shows. */
export const OrganizationWorkspacesQuery = SortedPageQuery.extend({
  state: WorkspaceState.optional().describe('Only those in this state.'),
});

/** Which workspaces a list shows. */
export const ListWorkspacesQuery = OrganizationWorkspacesQuery.extend({
  organization: z.string().max(200).optional().describe('Only those of this organization.'),
});

export type ListWorkspacesQuery = z.infer<typeof ListWorkspacesQuery>;

/** What of a workspace can be changed in place. */
export const UpdateWorkspace = z
  .strictObject({ name: DisplayName.optional() })
  .meta({ id: 'UpdateWorkspace', examples: [{ name: 'Online shop' }] });
export type UpdateWorkspace = z.infer<typeof UpdateWorkspace>;

/** What a kubeconfig is asked for. */
export const KubeconfigQuery = z.strictObject({
  plugin: z
    .enum(['hexabase', 'oidc-login'])
    .default('hexabase')
    .describe('Who gets the tokens: our own command, or kubelogin (`kubectl oidc-login`).'),
  namespace: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'Must be the name of a project.')
    .optional()
    .describe('The project that kubectl works in when told no namespace.'),
});
export type KubeconfigQuery = z.infer<typeof KubeconfigQuery>;
