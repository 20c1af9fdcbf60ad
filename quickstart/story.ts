/**
 * The main job, told step by step on the running platform: from a first sign-up to a kubectl that
 * may do what a role says and nothing else, through a group far above.
 */
import { join } from 'node:path';
import { type Schemas, unwrap } from '../client/client.ts';
import type { ApiClient, Task } from './api-client.ts';
import {
  type CommandResult,
  createPerson,
  type Kubectl,
  lastToken,
  type Person,
  readClaims,
} from './person.ts';
import type { ImportedOrganization } from './sample-organization.ts';
import type { Stack } from './stack.ts';
import type { Transcript } from './transcript.ts';

/** What the story is about. */
export type StoryOptions = {
  readonly stack: Stack;
  readonly transcript: Transcript;
  readonly password: string;
  /** Imported into the workspace. */
  readonly organization: ImportedOrganization;
  /** Who signs up, pays and administers. */
  readonly admin: string;
  /** Who works: a direct member of `memberGroup`, deep in the branch below `roleGroup`. */
  readonly member: string;
  readonly memberGroup: string;
  readonly roleGroup: string;
};

/** What the story leaves behind, to go on with. */
export type StoryResult = {
  readonly workspaceId: string;
  readonly adminKubectl: Kubectl;
  readonly memberKubectl: Kubectl;
  /** The `groups` claim of the member's ID token. */
  readonly groups: readonly string[];
};

const PROJECT = 'shop';
const ROLE_RULES = [
  {
    apiGroups: [''],
    resources: ['configmaps'],
    verbs: ['get', 'list', 'watch', 'create', 'update', 'delete'],
  },
  { apiGroups: [''], resources: ['pods', 'pods/log'], verbs: ['get', 'list', 'watch'] },
];

/** Tells the story; @throws at the first step that does not do what it must */
export const tellStory = async (options: StoryOptions): Promise<StoryResult> => {
  const { transcript, stack, password } = options;
  const admin = createPerson(stack, { username: options.admin, password });
  const member = createPerson(stack, { username: options.member, password });
  const { api } = admin;

  transcript.step(`${options.admin} signs up: a person and a private organization exist`);
  const organizationId = await signUp(options, api);
  transcript.step(
    'A workspace: its own control plane, which trusts the issuer for this audience only',
  );
  const workspaceId = await createWorkspace(options, api, organizationId);
  const base = `/v1/workspaces/${workspaceId}`;
  transcript.step('The organisation’s groups and people are imported');
  await importOrganization(options, api, base);
  transcript.step(`A project, a role made for it, and the role given to “${options.roleGroup}”`);
  const grant = await createGrant(options, api, base);

  transcript.step(`${options.member}, a member of “${options.memberGroup}” far below, signs in`);
  const adminKubectl = await admin.kubectl(workspaceId);
  const memberKubectl = await member.kubectl(workspaceId);
  const groups = await signMemberIn(options, { member, kubectl: memberKubectl, workspaceId });
  transcript.step('kubectl may do what the role says, and nothing else');
  await showAccess(options, memberKubectl);
  transcript.step('The assignment is removed and given again: the same command, the same token');
  await showRevocation(options, api, { base, grant, memberKubectl });
  transcript.step('A membership ends with the token');
  await removeMembership(options, api, base);
  // Signed in by now, as the member is, so that whoever goes on needs no browser.
  await adminKubectl.run('auth', 'whoami');
  transcript.say('Every step did what it must.');
  return { workspaceId, adminKubectl, memberKubectl, groups };
};

const signUp = async ({ transcript }: StoryOptions, api: ApiClient): Promise<string> => {
  transcript.command('hexabase get-token --client-id hexabase-cli --token-type access_token');
  transcript.command('GET /v1/me');
  const me = await unwrap(api.client.GET('/v1/me'));
  transcript.output(JSON.stringify(me, null, 2));
  return must(me.organizations[0]?.id, 'signing up made no organization');
};

const createWorkspace = async (
  { transcript }: StoryOptions,
  api: ApiClient,
  organizationId: string,
): Promise<string> => {
  const path = `/v1/organizations/${organizationId}/workspaces`;
  const request = { name: 'Acme', plan: 'starter' };
  const { status, body } = await change(transcript, api, ['POST', path, request]);
  const { workspace, task } = body as Schemas['WorkspaceCreated'];
  transcript.output(`${status} ${workspace.id}, ${task.id}`);
  let step: string | null = '';
  const ended = await api.untilEnded(task.id, (current) => {
    if (current.step !== step)
      transcript.output(`${`${current.progress}`.padStart(3)} % ${current.step ?? ''}`);
    step = current.step;
  });
  transcript.say(`ready and verified after ${duration(ended)}`);
  return workspace.id;
};

const importOrganization = async (
  { transcript, organization }: StoryOptions,
  api: ApiClient,
  base: string,
): Promise<void> => {
  transcript.command(`POST ${base}/imports  (${organization.groups.length} groups)`);
  const { status, body } = await api.request('POST', `${base}/imports`, organization);
  transcript.output(`${status} ${JSON.stringify(body)}`);
};

/** A role given to a group, and how to give it again. */
type Grant = { readonly assignmentId: string; readonly request: object };

const createGrant = async (
  { transcript, roleGroup }: StoryOptions,
  api: ApiClient,
  base: string,
): Promise<Grant> => {
  const project = await live(transcript, api, ['POST', `${base}/projects`, { name: PROJECT }]);
  const projectId = (project as Schemas['ProjectCreated']).project.id;
  const role = await live(transcript, api, [
    'POST',
    `${base}/projects/${projectId}/roles`,
    { name: 'releaser', rules: ROLE_RULES },
  ]);
  const group = await findGroup(api, base, roleGroup);
  const request = {
    group,
    project: projectId,
    project_role: (role as Schemas['ProjectRoleChanged']).project_role.id,
  };
  const answer = await live(transcript, api, ['POST', `${base}/role-assignments`, request]);
  return { assignmentId: idOfAssignment(answer), request };
};

const signMemberIn = async (
  { transcript, stack }: StoryOptions,
  { member, kubectl, workspaceId }: { member: Person; kubectl: Kubectl; workspaceId: string },
): Promise<string[]> => {
  await show(transcript, kubectl, ['auth', 'whoami'], 'allowed');
  transcript.say('the same with a code, confirmed on another device:');
  transcript.command(`hexabase get-token --client-id ${workspaceId} --grant-type device-code`);
  const cache = join(stack.directory, 'tokens', 'device');
  const result = await member.getToken(
    workspaceId,
    ...['--grant-type', 'device-code', '--cache-dir', cache],
  );
  const token = lastToken(result);
  transcript.output(result.output.replace(token, ''));
  const claims = readClaims(token);
  transcript.say('the ID token, decoded:');
  transcript.output(JSON.stringify(claims, null, 2));
  return claims['groups'] as string[];
};

const showAccess = async ({ transcript }: StoryOptions, kubectl: Kubectl): Promise<void> => {
  const create = ['create', 'configmap', 'release', '--from-literal=version=1', '-n', PROJECT];
  await show(transcript, kubectl, create, 'allowed');
  await show(transcript, kubectl, ['get', 'configmaps', '-n', PROJECT], 'allowed');
  await show(transcript, kubectl, ['get', 'secrets', '-n', PROJECT], 'refused');
  await show(transcript, kubectl, ['get', 'configmaps', '-n', 'default'], 'refused');
  await show(transcript, kubectl, ['get', 'nodes'], 'refused');
};

const showRevocation = async (
  { transcript }: StoryOptions,
  api: ApiClient,
  { base, grant, memberKubectl }: { base: string; grant: Grant; memberKubectl: Kubectl },
): Promise<void> => {
  const command = ['get', 'configmaps', '-n', PROJECT];
  await live(transcript, api, ['DELETE', `${base}/role-assignments/${grant.assignmentId}`]);
  await show(transcript, memberKubectl, command, 'refused');
  await live(transcript, api, ['POST', `${base}/role-assignments`, grant.request]);
  await show(transcript, memberKubectl, command, 'allowed');
};

const removeMembership = async (
  { transcript, member, memberGroup }: StoryOptions,
  api: ApiClient,
  base: string,
): Promise<void> => {
  const group = await findGroup(api, base, memberGroup);
  const { body } = await api.request('GET', `${base}/groups/${group}/members?limit=500`);
  const { items } = body as Schemas['GroupMemberPage'];
  const person = must(
    items.find((item) => item.display_name.toLowerCase() === member.toLowerCase())?.id,
    `${member} is not in ${memberGroup}`,
  );
  const path = `${base}/groups/${group}/members/${person}`;
  const answer = await change(transcript, api, ['DELETE', path]);
  transcript.output(`${answer.status} ${JSON.stringify(answer.body)}`);
  await change(transcript, api, ['PUT', path]);
};

type Request = [method: string, path: string, body?: object];

const change = (transcript: Transcript, api: ApiClient, [method, path, body]: Request) => {
  transcript.command(`${method} ${path}${body ? ` ${JSON.stringify(body)}` : ''}`);
  return api.request(method, path, body);
};

/** Makes a change and tells when it was live: when rbac-sync had verified it in the cluster. */
const live = async (transcript: Transcript, api: ApiClient, request: Request): Promise<unknown> => {
  const { status, body } = await change(transcript, api, request);
  const { task } = body as { task: Task };
  const ended = await api.untilEnded(task.id);
  transcript.output(
    `${status} ${task.kind}: live, verified in the cluster, after ${duration(ended)}`,
  );
  return body;
};

const show = async (
  transcript: Transcript,
  kubectl: Kubectl,
  args: string[],
  expected: 'allowed' | 'refused',
): Promise<CommandResult> => {
  transcript.command(`kubectl ${args.join(' ')}`);
  const result = await kubectl.run(...args);
  transcript.output(result.output.replace(/(Sign in at \S+?\?)\S+/, '$1…'));
  const actual = result.exitCode === 0 ? 'allowed' : 'refused';
  const wrong =
    actual !== expected || (actual === 'refused' && !result.output.includes('Forbidden'));
  if (wrong) throw new Error(`kubectl ${args.join(' ')} should have been ${expected}`);
  return result;
};

const findGroup = async (api: ApiClient, base: string, name: string): Promise<string> => {
  const workspace = base.split('/').at(-1) ?? '';
  const params = { path: { workspace }, query: { name } };
  const { items } = await unwrap(api.client.GET('/v1/workspaces/{workspace}/groups', { params }));
  return must(items[0]?.id, `There is no group ${name}`);
};

const idOfAssignment = (answer: unknown): string =>
  (answer as Schemas['RoleAssignmentCreated']).role_assignment.id;

/** How long a change took to be live, from its commit to its verification, by the database's clock. */
const duration = ({ created_at, finished_at }: Task): string => {
  const milliseconds = Date.parse(finished_at ?? '') - Date.parse(created_at);
  return milliseconds < 10_000 ? `${milliseconds} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
};

const must = <Value>(value: Value | undefined, message: string): Value => {
  if (value === undefined) throw new Error(message);
  return value;
};
