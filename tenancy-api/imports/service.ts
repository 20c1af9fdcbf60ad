/** Brings a tree of groups with its members into a workspace: all of it, or nothing. */
import { createId, parseId } from '#domain/identifiers.ts';
import {
  createImportDiff,
  digestImportDiff,
  type ImportChanges,
  type ImportDiff,
} from '#domain/import-diff.ts';
import {
  type ExistingGroup,
  type ImportFault,
  type ImportPlan,
  planImport,
  refuseImportSize,
} from '#domain/import-plan.ts';
import type { WorkspaceAccess } from '../access.ts';
import { assertAdminRemains, withinOwnTime } from '../admins.ts';
import { recordChange } from '../change.ts';
import { getConnector } from '../connectors/service.ts';
import type { RequestContext } from '../context.ts';
import { insertGroupMembers, type PersonMembership } from '../group-members/queries.ts';
import { insertGroups, updateGroups } from '../groups/queries.ts';
import { insertMembers, provisionPeople } from '../members/queries.ts';
import { bodyProblem, PROBLEMS, Problem, toPointer } from '../problems.ts';
import { toTokenTimes } from '../schema.ts';
import { listAllGroups } from './queries.ts';
import { type Import, type ImportResult, MAX_DIFF } from './schema.ts';

const MAX_ERRORS = 100;

/** An import, and the digest of the plan that its sender has seen. */
export type ImportRequest = { readonly input: Import; readonly digest: string | undefined };

/**
 * Imports groups and members; the same import again changes nothing.
 *
 * @throws Problem unprocessable for an unknown connector, import-too-large, import-refused (with every fault), last-admin,
 * precondition-failed when it changes something else than the plan with this digest
 */
export const importGroups = async (
  context: RequestContext,
  access: WorkspaceAccess,
  { input, digest: seen }: ImportRequest,
): Promise<ImportResult> => {
  const { workspaceId } = access;
  const excess = refuseImportSize(input.groups, input.members);
  if (excess !== null) throw new Problem(PROBLEMS.importTooLarge, excess);
  await getConnector(context, input.connector);
  const existing = await listAllGroups(context.tx, workspaceId);
  const rootId = getRootId(existing, input.parent);
  const { groups, names } = input;
  const plan = planImport({ groups, names, existing, rootId, createId });
  if (plan.faults.length > 0) throw refused(plan.faults);
  const added = await withinOwnTime(context, workspaceId, () =>
    carryOut(context, workspaceId, { plan, input }),
  );
  const diff = createImportDiff({ plan, existing, ...added });
  const digest = digestImportDiff(diff, [workspaceId, input.connector]);
  if (seen !== undefined && seen !== digest) throw notAsPlanned();
  if (diff.groups_moved.length > 0) await assertAdminRemains(context.tx, workspaceId);
  const changes = countChanges(diff);
  if (Object.values(changes).some((count) => count > 0)) {
    await recordChange(context, {
      ...access,
      action: 'workspace.import',
      targetId: workspaceId,
      after: { ...changes, connector: input.connector },
    });
  }
  const unchanged = groups.length - plan.create.length - plan.update.length;
  return {
    ...changes,
    groups_unchanged: unchanged,
    diff: toShown(diff),
    digest,
    ...toTokenTimes(),
  };
};

const notAsPlanned = (): Problem =>
  new Problem(
    PROBLEMS.preconditionFailed,
    'The import would not change what the plan with this digest showed. Ask for the plan again with ?dry_run=true, and send its digest.',
  );

const countChanges = (diff: ImportDiff) => ({
  groups_added: diff.groups_added.length,
  groups_moved: diff.groups_moved.length,
  groups_renamed: diff.groups_renamed.length,
  members_added: diff.members_added.length,
  memberships_added: diff.memberships_added.length,
});

const toShown = (diff: ImportDiff): ImportResult['diff'] => ({
  groups_added: diff.groups_added.slice(0, MAX_DIFF),
  groups_moved: diff.groups_moved.slice(0, MAX_DIFF),
  groups_renamed: diff.groups_renamed.slice(0, MAX_DIFF),
  members_added: diff.members_added.slice(0, MAX_DIFF),
  memberships_added: diff.memberships_added.slice(0, MAX_DIFF),
});

const getRootId = (existing: readonly ExistingGroup[], parent: string): string => {
  const id = parseId('group', parent);
  const root = existing.find((group) => group.name === parent || group.id === id);
  if (root) return root.id;
  throw bodyProblem(
    PROBLEMS.invalidParent,
    ['parent'],
    'There is no such group in this workspace.',
  );
};

const refused = (faults: readonly ImportFault[]): Problem =>
  new Problem(
    PROBLEMS.importRefused,
    `Nothing was imported: ${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}${faults.length > MAX_ERRORS ? `, the first ${MAX_ERRORS} of them in errors` : '; see errors'}.`,
    {
      errors: faults.slice(0, MAX_ERRORS).map(({ path, reason, suggestion }) => ({
        pointer: toPointer(path),
        detail: reason,
        ...(suggestion !== undefined && { suggestion }),
      })),
    },
  );

/** Writes what is planned; tells what of it wasn't there, by subject. */
const carryOut = async (
  { tx }: RequestContext,
  workspaceId: string,
  { plan, input }: { plan: ImportPlan; input: Import },
): Promise<Pick<ImportChanges, 'members' | 'memberships'>> => {
  if (plan.create.length > 0) {
    await insertGroups(tx, workspaceId, { groups: plan.create, preset: false });
  }
  if (plan.update.length > 0) await updateGroups(tx, workspaceId, plan.update);
  const subjects = new Set(input.members);
  for (const { subject } of plan.memberships) subjects.add(subject);
  const people = await provisionPeople(tx, input.connector, [...subjects]);
  const members = await insertMembers(tx, workspaceId, [...new Set(people.values())]);
  const memberships = await insertGroupMembers(
    tx,
    workspaceId,
    listMemberships(plan.memberships, people),
  );
  const subjectOf = createSubjectOf(people);
  return {
    members: members.map(subjectOf),
    memberships: memberships.map(({ groupId, personId }) => ({
      groupId,
      subject: subjectOf(personId),
    })),
  };
};

/** Each once, although two subjects can be one person. */
const listMemberships = (
  planned: ImportPlan['memberships'],
  people: ReadonlyMap<string, string>,
): PersonMembership[] => {
  const memberships = new Map<string, PersonMembership>();
  for (const { groupId, subject } of planned) {
    const personId = people.get(subject);
    if (personId !== undefined) memberships.set(`${groupId} ${personId}`, { groupId, personId });
  }
  return [...memberships.values()];
};

/** Of several subjects of one person the first by code unit, so that a digest is stable. */
const createSubjectOf = (people: ReadonlyMap<string, string>): ((personId: string) => string) => {
  const subjects = new Map<string, string>();
  for (const [subject, personId] of people) {
    const known = subjects.get(personId);
    if (known === undefined || subject < known) subjects.set(personId, subject);
  }
  return (personId) => subjects.get(personId) ?? '';
};
