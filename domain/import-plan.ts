/**
 * What an import of groups would change, or everything that is wrong with it. Pure: it is planned
 * as a whole before anything is written, so it happens as a whole or not at all.
 */
import { foldGroupName, GroupName } from './group-name.ts';
import {
  createGroupTree,
  listOnCycles,
  listSelfAndAncestors,
  MAX_GROUP_DEPTH,
} from './group-tree.ts';
import { fitImportNames, isPresetGroupName, type KnownGroup } from './import-names.ts';

/** A group as an import describes it. */
export type ImportedGroup = {
  readonly name: string;
  readonly display_name?: string | undefined;
  /** A name in the import or in the workspace; `null` for a root of the import. */
  readonly parent: string | null;
  readonly members: readonly string[];
};

/** A group that the workspace has. */
export type ExistingGroup = KnownGroup & {
  readonly id: string;
  readonly displayName: string;
  readonly parentId: string | null;
};

/** What {@link planImport} decides on. */
export type ImportInput = {
  readonly groups: readonly ImportedGroup[];
  readonly existing: readonly ExistingGroup[];
  /** The id of the group that the import's roots go below. */
  readonly rootId: string;
  readonly createId: () => string;
  /** What happens to names that no group can have: the import is refused, or they are made to fit. */
  readonly names: 'refuse' | 'fit';
};

/** One thing wrong, and where in the import. */
export type ImportFault = {
  readonly path: readonly (string | number)[];
  readonly reason: string;
  /** A name that would do. */
  readonly suggestion?: string;
};

/** A group that changes, and what it was. */
export type GroupUpdate = ExistingGroup & { readonly before: ExistingGroup };

/** What to write: nothing of it is there yet, so an import that was done plans nothing. */
export type ImportPlan = {
  readonly faults: readonly ImportFault[];
  readonly create: readonly ExistingGroup[];
  readonly update: readonly GroupUpdate[];
  /** Each once; some may be there already. */
  readonly memberships: readonly { readonly groupId: string; readonly subject: string }[];
};

/** The most that one import may hold. */
export const IMPORT_LIMITS = { groups: 10_000, memberships: 100_000 } as const;

/** How much of a limit an import takes; text for the caller, or `null` when it is within. */
export const refuseImportSize = (
  groups: readonly ImportedGroup[],
  members: readonly string[],
): string | null => {
  if (groups.length > IMPORT_LIMITS.groups) {
    return `An import may hold ${IMPORT_LIMITS.groups} groups; this one holds ${groups.length}.`;
  }
  const count = groups.reduce((sum, group) => sum + group.members.length, members.length);
  return count > IMPORT_LIMITS.memberships
    ? `An import may hold ${IMPORT_LIMITS.memberships} memberships; this one holds ${count}.`
    : null;
};

/**
 * Plans an import. A group that the workspace has by exactly this name is moved to where the import
 * says and keeps its members; the import only ever adds memberships.
 */
export const planImport = (original: ImportInput): ImportPlan => {
  const names = original.groups.map((group) => group.name);
  const fitted = fitImportNames(names, original.existing);
  const input = original.names === 'fit' ? withFittedNames(original, fitted) : original;
  const placed = placeGroups(input);
  const faults = [...refuseNames(input, fitted), ...placed.faults];
  if (faults.length > 0) return { faults, create: [], update: [], memberships: [] };
  const cycles = refuseCycles(input, placed.groups);
  const misplaced = cycles.length > 0 ? cycles : refuseDepth(input, placed.groups);
  if (misplaced.length > 0) {
    return { faults: misplaced, create: [], update: [], memberships: [] };
  }
  const existing = new Map(input.existing.map((group) => [group.id, group]));
  return {
    faults: [],
    create: placed.groups.filter((group) => !existing.has(group.id)),
    update: placed.groups.flatMap((group) => {
      const before = existing.get(group.id);
      if (!before) return [];
      const changes =
        before.parentId !== group.parentId || before.displayName !== group.displayName;
      return changes ? [{ ...group, before }] : [];
    }),
    memberships: placed.groups.flatMap((group, index) =>
      Array.from(new Set(input.groups[index]?.members), (subject) => ({
        groupId: group.id,
        subject,
      })),
    ),
  };
};

type FittedGroup = ImportedGroup & { readonly importedAs?: string };

type FittedInput = Omit<ImportInput, 'groups'> & { readonly groups: readonly FittedGroup[] };

/** Parents are named as the import names them, also when only an earlier import had them. */
const withFittedNames = (input: ImportInput, fitted: ReadonlyMap<string, string>): FittedInput => {
  const before = new Map(input.existing.map((group) => [group.importedAs, group.name]));
  const nameOf = (name: string): string => fitted.get(name) ?? before.get(name) ?? name;
  return {
    ...input,
    groups: input.groups.map((group) => {
      const name = nameOf(group.name);
      const parent = group.parent === null ? null : nameOf(group.parent);
      return { ...group, name, parent, ...(name !== group.name && { importedAs: group.name }) };
    }),
  };
};

const refuseNames = (
  { groups, existing }: FittedInput,
  fitted: ReadonlyMap<string, string>,
): ImportFault[] => {
  const names = new Map(existing.map((group) => [foldGroupName(group.name), group.name]));
  const first = new Map<string, number>();
  return groups.flatMap(({ name }, index) => {
    const folded = foldGroupName(name);
    const reason = refuseName({ name, known: names.get(folded), first: first.get(folded) });
    if (!first.has(folded)) first.set(folded, index);
    if (reason === undefined) return [];
    const suggestion = fitted.get(name) ?? name;
    const path = ['groups', index, 'name'];
    return [{ path, reason, ...(suggestion !== name && { suggestion }) }];
  });
};

const refuseName = (group: {
  name: string;
  known: string | undefined;
  first: number | undefined;
}): string | undefined => {
  const { name, known, first } = group;
  const shape = GroupName.safeParse(name);
  if (!shape.success) return shape.error.issues[0]?.message;
  if (isPresetGroupName(name)) return 'This name belongs to a preset group.';
  if (first !== undefined) {
    return `The same name as #/groups/${first}; names that differ only by case are the same.`;
  }
  return known === undefined || known === name
    ? undefined
    : `The workspace has a group "${known}"; names that differ only by case are the same.`;
};

type Placed = { readonly groups: ExistingGroup[]; readonly faults: ImportFault[] };

const placeGroups = ({ groups, existing, rootId, createId }: FittedInput): Placed => {
  const before = new Map(existing.map((group) => [group.name, group]));
  const idOf = new Map(existing.map((group) => [group.name, group.id]));
  for (const { name } of groups) if (!idOf.has(name)) idOf.set(name, createId());
  const faults: ImportFault[] = [];
  const placed = groups.map(({ name, parent, display_name, importedAs }, index) => {
    const parentId = parent === null ? rootId : idOf.get(parent);
    if (parentId === undefined) {
      faults.push({
        path: ['groups', index, 'parent'],
        reason: 'No group of this name is in the import or in the workspace.',
      });
    }
    return {
      id: idOf.get(name) ?? '',
      name,
      displayName: display_name ?? before.get(name)?.displayName ?? toDisplayName(importedAs, name),
      parentId: parentId ?? null,
      importedAs: before.get(name)?.importedAs ?? importedAs ?? null,
    };
  });
  return { groups: placed, faults };
};

const MAX_DISPLAY_NAME = 100;

/** The original as far as a display name can hold it. */
const toDisplayName = (original: string | undefined, name: string): string =>
  original
    ?.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .slice(0, MAX_DISPLAY_NAME)
    .toWellFormed()
    .trim() || name;

const refuseCycles = (
  { groups, existing }: FittedInput,
  placed: readonly ExistingGroup[],
): ImportFault[] => {
  const parentOf = new Map([...existing, ...placed].map((group) => [group.id, group.parentId]));
  const onCycle = listOnCycles(parentOf);
  return placed.flatMap((group, index) =>
    onCycle.has(group.id)
      ? [
          {
            path: ['groups', index, 'parent'],
            reason: `"${groups[index]?.name}" would be above itself: a cycle.`,
          },
        ]
      : [],
  );
};

const refuseDepth = (
  { groups, existing }: FittedInput,
  placed: readonly ExistingGroup[],
): ImportFault[] => {
  const tree = createGroupTree([...existing, ...placed]);
  return placed.flatMap((group, index) =>
    listSelfAndAncestors(tree, group.id).length > MAX_GROUP_DEPTH
      ? [
          {
            path: ['groups', index, 'parent'],
            reason: `"${groups[index]?.name}" would be deeper than ${MAX_GROUP_DEPTH} levels.`,
          },
        ]
      : [],
  );
};
