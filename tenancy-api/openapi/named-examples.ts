/**
 * What named shapes are shown as: one small world, so that what belongs together looks so. Shapes inside
 * shapes are left out: they are shown as themselves.
 */
import { exampleId } from './example-id.ts';
import type { JsonObject } from './json-schema.ts';

const CREATED = '2026-03-01T09:30:00.000Z';
const ENDS = '2026-09-30T17:00:00.000Z';

const person = { id: exampleId('person'), display_name: 'Grace Hopper' };
const group = { id: exampleId('group'), name: 'sig-release' };
const project = { id: exampleId('project'), name: 'shop' };
const membership = { ...group, expires_at: ENDS };
const member = { ...person, created_at: CREATED };
const serviceAccount = {
  id: exampleId('serviceAccount'),
  name: 'deploy-bot',
  display_name: 'Deploys the web shop',
  created_at: CREATED,
};
const quota = { 'requests.cpu': '2', 'requests.memory': '4Gi', pods: '20' };

const rule = { apiGroups: [''], resources: ['pods', 'pods/log'], verbs: ['get', 'list', 'watch'] };

const plan = {
  id: exampleId('plan'),
  name: 'starter',
  display_name: 'Starter',
  project_quota: quota,
  workspace_quota: quota,
  limit_range: [{ type: 'Container', default: { cpu: '500m', memory: '512Mi' } }],
  network_policy: 'isolate',
  max_projects: 10,
  isolation: 'shared',
  price: { amount: 4900, currency: 'EUR', interval: 'month' },
  retired_at: null,
};

const planObject = {
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'hexabase-plan', namespace: 'shop' },
};

/** By the name of the shape. */
export const NAMED_EXAMPLES: Readonly<Record<string, JsonObject>> = {
  Organization: {
    id: exampleId('organization'),
    slug: 'acme',
    name: 'Acme',
    personal: false,
    role: 'owner',
    delete_after: null,
    created_at: CREATED,
  },
  OrganizationUser: {
    ...person,
    role: 'admin',
    signed_in: true,
    created_at: CREATED,
  },
  Plan: plan,
  PlanDetails: {
    ...plan,
    isolation: 'dedicated',
    node_selector: { 'node.example.com/pool': 'acme' },
    tolerations: [{ key: 'pool', operator: 'Equal', value: 'acme', effect: 'NoSchedule' }],
  },
  Condition: {
    type: 'Synced',
    status: 'True',
    reason: 'Verified',
    message: 'Every right is in force as it should be.',
    lastTransitionTime: CREATED,
  },
  Workspace: {
    id: exampleId('workspace'),
    organization: exampleId('organization'),
    organization_slug: 'acme',
    slug: 'online-shop',
    name: 'Online shop',
    state: 'active',
    delete_after: null,
    member: true,
    generation: 7,
    observed_generation: 7,
    issuer: 'https://id.example.com',
    client_id: exampleId('workspace'),
    provisioner: null,
    created_at: CREATED,
  },
  Endpoint: {
    server: 'https://online-shop.k8s.example.com',
    certificate_authority: '-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n',
  },
  WorkspaceContents: {
    projects: ['shop', 'shop-staging'],
    groups: 12,
    members: 48,
    service_accounts: 3,
    cluster: true,
  },
  PlanSummary: {
    id: exampleId('plan'),
    name: 'team',
    max_projects: 100,
    isolation: 'shared',
  },
  QuotaDifference: { resource: 'pods', from: '20', to: '200' },
  Task: {
    id: exampleId('task'),
    kind: 'project.create',
    workspace: exampleId('workspace'),
    state: 'running',
    progress: 40,
    step: 'applying',
    error: null,
    created_at: CREATED,
    finished_at: null,
  },
  Diff: {
    id: exampleId('diff'),
    workspace: exampleId('workspace'),
    task: exampleId('task'),
    state: 'succeeded',
    error: null,
    created_at: CREATED,
    finished_at: CREATED,
    expires_at: '2026-03-02T09:30:00.000Z',
  },
  Drift: {
    id: exampleId('drift'),
    workspace: exampleId('workspace'),
    kind: 'RoleBinding',
    namespace: 'shop',
    name: 'hexabase:view:0f1e2d3c4b',
    change: 'modified',
    action: 'repaired',
    reason: 'It was put back.',
    managers: ['kubectl-edit'],
    changed_at: CREATED,
    detected_at: CREATED,
    last_seen_at: CREATED,
    resolved_at: CREATED,
    retry_at: null,
  },
  DriftActor: {
    username: 'ops@example.com',
    name: null,
    email: null,
    impersonated_by: null,
    user_agent: 'kubectl/v1.35.4',
    source_ips: ['192.0.2.7'],
  },
  DriftDifference: {
    path: 'subjects',
    before: null,
    after: [{ kind: 'Group', name: 'hexabase:WSUsers' }],
  },
  DriftOpening: {
    sentence:
      'Group "hexabase:WSUsers" could do what ClusterRole view allows in the namespace shop.',
    subject: { kind: 'Group', name: 'hexabase:WSUsers', namespace: null },
    namespace: 'shop',
    role: 'ClusterRole view',
    rules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'], resourceNames: [] }],
  },
  ClusterDiff: {
    generation: 7,
    omitted: 0,
    notes: ['RoleBindings that are not managed here: shop/handmade.'],
  },
  ObjectDiff: {
    action: 'update',
    kind: 'ResourceQuota',
    namespace: 'shop',
    name: 'hexabase-plan',
    before: { ...planObject, spec: { hard: { pods: '200' } } },
    after: { ...planObject, spec: { hard: { pods: '20' } } },
    checked: true,
    refusal: null,
  },
  Group: {
    ...group,
    display_name: 'SIG Release',
    parent: exampleId('group'),
    preset: false,
    created_at: CREATED,
  },
  GroupReference: group,
  DirectGroup: membership,
  DirectMembership: membership,
  Member: member,
  MemberDetail: member,
  GroupMember: { ...member, expires_at: ENDS },
  GroupServiceAccount: { ...serviceAccount, expires_at: ENDS },
  ServiceAccount: { ...serviceAccount, created_by: person.id, updated_at: CREATED },
  ServiceAccountDetail: {
    ...serviceAccount,
    created_by: person.id,
    updated_at: CREATED,
  },
  GroupEffect: { people_affected: 1, service_accounts_affected: 0 },
  AffectedMember: { kind: 'person', ...person, groups_lost: [], roles_lost: [] },
  Grant: {
    role_assignment: exampleId('roleAssignment'),
    group: group.id,
    project: project.id,
    project_name: project.name,
    role: 'log-reader',
    preset: false,
  },
  Project: {
    ...project,
    display_name: 'The shop',
    parent: null,
    quota: { pods: '10' },
    created_at: CREATED,
  },
  ProjectReference: project,
  ProjectContents: { roles: 2, role_assignments: 5 },
  ProjectRole: {
    id: exampleId('projectRole'),
    project: project.id,
    name: 'log-reader',
    rules: [rule],
    created_at: CREATED,
  },
  ProjectRoleTemplate: {
    name: 'log-reader',
    description: 'Reads pods and what they print.',
    rules: [rule],
  },
  Assigner: person,
  RoleAssignment: {
    id: exampleId('roleAssignment'),
    group: group.id,
    project: project.id,
    project_role: exampleId('projectRole'),
    preset_role: null,
    preset: false,
    expires_at: ENDS,
    reason: 'Migration of the shop',
    created_at: CREATED,
    inherited_from: null,
  },
};
