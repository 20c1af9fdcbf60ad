/**
 * The rules of a custom project role: which are allowed, and why another isn't. The same limits
 * stand in the cluster as the admission policy `hexabase-sync-limits`.
 */
import * as z from 'zod';

const Entry = z.string().min(1).max(253);
const NUL = '\\u0000';
/** Any text that PostgreSQL can hold in JSON. */
const ResourceName = Entry.regex(new RegExp(`^[^${NUL}]*$`), 'It can’t hold the character U+0000.');

/** A PolicyRule of rbac.authorization.k8s.io/v1, namespaced kinds only (no nonResourceURLs). */
export const PolicyRule = z.strictObject({
  apiGroups: z.array(z.string().max(253)).min(1).max(32),
  resources: z.array(Entry).min(1).max(64),
  verbs: z.array(Entry).min(1).max(32),
  resourceNames: z.array(ResourceName).min(1).max(64).optional(),
});
export type PolicyRule = z.infer<typeof PolicyRule>;

/** Why a rule is refused, and where in it. */
export type RuleRefusal = { readonly path: readonly (string | number)[]; readonly reason: string };

const VERBS = new Set([
  'get',
  'list',
  'watch',
  'create',
  'update',
  'patch',
  'delete',
  'deletecollection',
]);
const GROUP = /^([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*)?$/;
const RESOURCE = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\/[a-z0-9]([a-z0-9-]*[a-z0-9])?)?$/;

const FORBIDDEN_VERBS = new Map(
  Object.entries({
    '*': 'a wildcard would hold every verb, also those of later versions; name the verbs',
    escalate: '"escalate" lets its holder grant rights that they do not have',
    bind: '"bind" lets its holder hand out roles that they do not have',
    impersonate: '"impersonate" lets its holder act as anyone',
  }),
);
const FORBIDDEN_GROUPS = new Map(
  Object.entries({
    '*': 'a wildcard would hold every API group, also those of later versions; name the groups',
    'rbac.authorization.k8s.io': 'roles and bindings are managed here, not by project roles',
    'admissionregistration.k8s.io': 'admission policies and webhooks guard the cluster',
    'certificates.k8s.io': 'a certificate can impersonate anyone',
    'apiregistration.k8s.io': 'an APIService is cluster-scoped and takes over a whole API',
    'authorization.k8s.io': 'access reviews belong to the platform',
    'authentication.k8s.io': 'token reviews and impersonation belong to the platform',
  }),
);
const FORBIDDEN_RESOURCES = new Map(
  Object.entries({
    '*': 'a wildcard would hold every resource, secrets and tokens too; name the resources',
    'serviceaccounts/token': 'it mints tokens of every service account in the project',
    'nodes/proxy': 'it reaches every container through the kubelet',
  }),
);
const CLUSTER_SCOPED = new Set(['namespaces', 'nodes', 'persistentvolumes', 'componentstatuses']);

/**
 * Why these rules can't be a project role: every refusal, with its place; empty when they can.
 * A project role holds named verbs on named, namespaced resources, and nothing that could raise
 * rights: a Kubernetes "right to give rights" is never a tenant's to make.
 */
export const refuseRules = (rules: readonly PolicyRule[]): RuleRefusal[] =>
  rules.flatMap((rule, index) => [
    ...rule.verbs.flatMap((verb, i) => refuse(index, 'verbs', i, refuseVerb(verb))),
    ...rule.apiGroups.flatMap((group, i) => refuse(index, 'apiGroups', i, refuseGroup(group))),
    ...rule.resources.flatMap((resource, i) =>
      refuse(index, 'resources', i, refuseResource(resource, rule.apiGroups)),
    ),
  ]);

const refuse = (
  rule: number,
  field: string,
  i: number,
  reason: string | undefined,
): RuleRefusal[] => (reason === undefined ? [] : [{ path: [rule, field, i], reason }]);

const refuseVerb = (verb: string): string | undefined =>
  FORBIDDEN_VERBS.get(verb) ??
  (VERBS.has(verb) ? undefined : `"${verb}" is not a verb of namespaced resources`);

const refuseGroup = (group: string): string | undefined =>
  FORBIDDEN_GROUPS.get(group) ?? (GROUP.test(group) ? undefined : `"${group}" is not an API group`);

const refuseResource = (resource: string, apiGroups: readonly string[]): string | undefined => {
  const known = FORBIDDEN_RESOURCES.get(resource);
  if (known !== undefined) return known;
  if (resource.includes('*')) return 'a wildcard would hold every subresource; name them';
  if (!RESOURCE.test(resource)) return `"${resource}" is not a resource`;
  const [kind = ''] = resource.split('/');
  return apiGroups.includes('') && CLUSTER_SCOPED.has(kind)
    ? `"${kind}" is cluster-scoped; a project role is valid in one project`
    : undefined;
};

/** The name of a project role: a DNS label, because a Role carries it. */
export const ProjectRoleName = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,51}[a-z0-9])?$/,
    'A role name has 1 to 53 lower-case ASCII letters, digits or "-", and starts and ends with a letter or digit.',
  );
