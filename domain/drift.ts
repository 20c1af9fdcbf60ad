/** The drift ledger's words: what was changed in a cluster past the platform, and what came of it. */
import * as z from 'zod';

/** How a workspace wants its drift treated: put back, only shown, or taken over where the model can say it. */
export const DRIFT_MODES = ['enforce', 'observe', 'adopt'] as const;
export type DriftMode = (typeof DRIFT_MODES)[number];

/** What happened to the object. */
export const DRIFT_CHANGES = ['created', 'modified', 'deleted'] as const;
export type DriftChange = (typeof DRIFT_CHANGES)[number];

/**
 * What was done about it: `pending` is yet to be put back, `reported` is not ours to change, `observed` is
 * left alone because the workspace only observes, `contested` is left alone because something else keeps
 * changing it.
 */
export const DRIFT_ACTIONS = [
  'pending',
  'repaired',
  'reported',
  'observed',
  'contested',
  'adopted',
] as const;
export type DriftAction = (typeof DRIFT_ACTIONS)[number];

/** Someone who wrote to a cluster, readable: as its API server authenticated them. */
export const DriftActor = z.strictObject({
  username: z.string().describe('As RBAC knows them; of who was impersonated, when someone was.'),
  name: z.string().nullable().describe('From the ID token; null for who came without one.'),
  email: z.string().nullable(),
  impersonated_by: z.string().nullable().describe('Who acted as username.'),
  user_agent: z.string().nullable(),
  source_ips: z.array(z.string()),
});
export type DriftActor = z.infer<typeof DriftActor>;

/** One field that is other than it should be; of a list, the items that differ. */
export const DriftDifference = z.strictObject({
  path: z.string(),
  before: z.unknown().describe('As it should be; null: not there.'),
  after: z.unknown().describe('As it was found; null: not there.'),
});
export type DriftDifference = z.infer<typeof DriftDifference>;

/** A rule of RBAC as clusters hold it. */
const OpenedRule = z.strictObject({
  verbs: z.array(z.string()),
  apiGroups: z.array(z.string()),
  resources: z.array(z.string()),
  resourceNames: z.array(z.string()),
});

/** What someone could do because of it. */
export const DriftOpening = z.strictObject({
  sentence: z.string().describe('For people.'),
  subject: z
    .strictObject({
      kind: z.string(),
      name: z.string(),
      namespace: z.string().nullable().describe('Of a service account.'),
    })
    .nullable()
    .describe('null: whoever uses the namespace, as with a quota.'),
  namespace: z.string().nullable().describe('null: in the whole cluster.'),
  role: z.string().nullable().describe('Such as "ClusterRole admin".'),
  rules: z.array(OpenedRule).describe('The first of them, where there are many.'),
});
export type DriftOpening = z.infer<typeof DriftOpening>;

/** Which kinds of objects the ledger tells of, with the plural that audit events have. */
export const DRIFT_KINDS = {
  Namespace: 'namespaces',
  ResourceQuota: 'resourcequotas',
  LimitRange: 'limitranges',
  NetworkPolicy: 'networkpolicies',
  Role: 'roles',
  RoleBinding: 'rolebindings',
  ClusterRole: 'clusterroles',
  ClusterRoleBinding: 'clusterrolebindings',
  ValidatingAdmissionPolicy: 'validatingadmissionpolicies',
  ValidatingAdmissionPolicyBinding: 'validatingadmissionpolicybindings',
} as const;
export type DriftKind = keyof typeof DRIFT_KINDS;
