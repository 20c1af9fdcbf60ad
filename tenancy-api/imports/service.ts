/** Brings a tree of groups with its members into a workspace: all of it, or nothing. */
import { createId, parseId } from '#domain/identifiers.ts';
import {
  type ExistingGroup,
  type ImportFault,
  type ImportPlan,
  planImport,
  refuseImportSize,
} from '#domain/import-plan.ts';
import type { WorkspaceAccess } from '../access.ts';
import { assertAdminRemains } from '../admins.ts';
import { recordChange } from '../change.ts';
import type { RequestContext } from '../context.ts';
import { insertGroupMembers } from '../group-members/queries.ts';
import { insertGroups, updateGroups } from '../groups/queries.ts';
import { insertMembers, provisionPeople } from '../members/queries.ts';
import { bodyProblem, PROBLEMS, Problem, toPointer } from '../problems.ts';
import { toTokenTimes } from '../schema.ts';
import { listAllGroups } from './queries.ts';
import type { Import, ImportResult } from './schema.ts';

const MAX_ERRORS = 100;

type Counts = Omit<ImportResult, 'new_tokens_from' | 'old_tokens_until'>;

/**
 * Imports groups and members; the same import again changes nothing.
 *
 * @throws Problem import-too-large, import-refused (with every fault), last-admin
 */
export const importGroups = async (
  context: RequestContext,
  access: WorkspaceAccess,
  input: Import,
): Promise<ImportResult> => {
  const { workspaceId } = access;
  const excess = refuseImportSize(input.groups, input.members);
  if (excess !== null) throw new Problem(PROBLEMS.importTooLarge, excess);
  const existing = await listAllGroups(context.tx, workspaceId);
  const rootId = getRootId(existing, input.parent);
  const plan = planImport({ groups: input.groups, existing, rootId, createId });
  if (plan.faults.length > 0) throw refused(plan.faults);
  const counts = await carryOut(context, workspaceId, { plan, input });
  if (counts.groups_moved > 0) await assertAdminRemains(context.tx, workspaceId);
  const { groups_unchanged: _, ...changes } = counts;
  if (Object.values(changes).some((count) => count > 0)) {
    const after = { ...changes, connector: input.connector };
    await recordChange(context, {
      ...access,
      action: 'workspace.import',
      targetId: workspaceId,
      after,
    });
  }
  return { ...counts, ...toTokenTimes() };
};

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
      errors: faults
        .slice(0, MAX_ERRORS)
        .map(({ path, reason }) => ({ pointer: toPointer(path), detail: reason })),
    },
  );

const carryOut = async (
  { tx }: RequestContext,
  workspaceId: string,
  { plan, input }: { plan: ImportPlan; input: Import },
): Promise<Counts> => {
  if (plan.create.length > 0) {
    await insertGroups(tx, workspaceId, { groups: plan.create, preset: false });
  }
  if (plan.update.length > 0) await updateGroups(tx, workspaceId, plan.update);
  const subjects = new Set(input.members);
  for (const { subject } of plan.memberships) subjects.add(subject);
  const people = await provisionPeople(tx, input.connector, [...subjects]);
  const added = await insertMembers(tx, workspaceId, [...new Set(people.values())]);
  const memberships = plan.memberships.flatMap(({ groupId, subject }) => {
    const personId = people.get(subject);
    return personId === undefined ? [] : [{ groupId, personId }];
  });
  const moved = plan.update.filter((group) => group.moved).length;
  return {
    groups_added: plan.create.length,
    groups_moved: moved,
    groups_renamed: plan.update.length - moved,
    groups_unchanged: input.groups.length - plan.create.length - plan.update.length,
    members_added: added.length,
    memberships_added: await insertGroupMembers(tx, workspaceId, memberships),
  };
};
