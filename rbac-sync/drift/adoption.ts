/** How the model says what somebody did in a cluster, where it can. Pure. */
import * as z from 'zod';
import { toRoleName } from '#domain/grants.ts';
import { KUBERNETES_PREFIX } from '#domain/group-name.ts';
import { listQuotaExcess, ResourceQuotaHard } from '#domain/plan.ts';
import { NAMESPACE_CLUSTER_ROLES, PRESET_ROLES, type PresetRole } from '#domain/presets.ts';
import { equalQuantities } from '#domain/quantity.ts';
import type { Project, WorkspaceState } from '#domain/workspace-state.ts';
import type { Finding } from './findings.ts';

/** A change of the database that says the same. */
export type Adoption = { readonly sentence: string } & (
  | {
      readonly type: 'assignments';
      readonly projectId: string;
      /** Without the prefix that a cluster has them with. */
      readonly groups: readonly string[];
      readonly projectRoleId: string | null;
      readonly presetRole: PresetRole | null;
    }
  | { readonly type: 'quota'; readonly projectId: string; readonly quota: ResourceQuotaHard }
);

/** What is asked of a workspace besides its state: the names of its groups. */
export type AdoptionContext = {
  readonly state: WorkspaceState;
  readonly groups: ReadonlySet<string>;
};

/** How the model would say it, or why it can't, as the end of a sentence. */
export const planAdoption = (finding: Finding, context: AdoptionContext): Adoption | string => {
  if (finding.kind === 'RoleBinding' && finding.origin === 'foreign') {
    return adoptBinding(finding, context);
  }
  if (finding.kind === 'ResourceQuota' && finding.change === 'modified') {
    return adoptQuota(finding, context);
  }
  return `only RoleBindings of others and quotas can be, and this is a ${finding.kind} that was ${finding.change}.`;
};

const Binding = z.object({
  roleRef: z.object({ kind: z.string(), name: z.string() }),
  subjects: z
    .array(z.object({ kind: z.string(), name: z.string() }))
    .nullish()
    .transform((subjects) => subjects ?? []),
});

const adoptBinding = (finding: Finding, { state, groups }: AdoptionContext): Adoption | string => {
  const project = state.projects.find(({ name }) => name === finding.namespace);
  if (!project) return 'its namespace is not a project.';
  const binding = Binding.safeParse(finding.observed);
  if (!binding.success) return 'it is not a binding as RBAC knows them.';
  const { roleRef, subjects } = binding.data;
  if (subjects.length === 0) return 'it gives its role to nobody.';
  const role = findRole(state, project, roleRef);
  if (!role)
    return `the role ${roleRef.kind} ${roleRef.name} is neither one of the project nor admin or view.`;
  const names: string[] = [];
  for (const { kind, name } of subjects) {
    const group = name.startsWith(KUBERNETES_PREFIX) ? name.slice(KUBERNETES_PREFIX.length) : '';
    if (kind !== 'Group' || !groups.has(group))
      return `${kind} ${name} is not a group of the workspace.`;
    names.push(group);
  }
  return {
    type: 'assignments',
    sentence: `It was taken over as role assignments in the project ${project.name}.`,
    projectId: project.id,
    groups: names,
    ...role,
  };
};

const findRole = (
  { projectRoles }: WorkspaceState,
  project: Project,
  { kind, name }: { readonly kind: string; readonly name: string },
): { projectRoleId: string | null; presetRole: PresetRole | null } | undefined => {
  if (kind === 'ClusterRole') {
    const presetRole = PRESET_ROLES.find((preset) => NAMESPACE_CLUSTER_ROLES[preset] === name);
    return presetRole && { projectRoleId: null, presetRole };
  }
  const role = projectRoles.find(
    (each) => each.projectId === project.id && toRoleName(each.name) === name,
  );
  return role && { projectRoleId: role.id, presetRole: null };
};

const Quota = z.object({ spec: z.object({ hard: ResourceQuotaHard }) });

const adoptQuota = (finding: Finding, { state }: AdoptionContext): Adoption | string => {
  const project = state.projects.find(({ name }) => name === finding.namespace);
  if (!project) return 'its namespace is not a project.';
  if (finding.differences.some(({ path }) => path.startsWith('labels'))) {
    return 'its labels were changed too.';
  }
  const quota = Quota.safeParse(finding.observed);
  if (!quota.success) return 'it is not a quota that the platform can hold.';
  const { hard } = quota.data.spec;
  const plan = state.plan.projectQuota;
  const missing = Object.keys(plan).filter((resource) => !Object.hasOwn(hard, resource));
  if (missing.length > 0) return `the plan limits ${missing.join(', ')} as well.`;
  const beyond = listQuotaExcess(hard, plan);
  if (beyond.length > 0) return `the plan allows less of ${beyond.join(', ')}.`;
  const own = Object.entries(hard).filter(
    ([resource, amount]) => !equalQuantities(plan[resource] ?? '', amount),
  );
  return {
    type: 'quota',
    sentence: `It was taken over as the quota of the project ${project.name}.`,
    projectId: project.id,
    quota: Object.fromEntries(own),
  };
};
