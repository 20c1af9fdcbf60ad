/**
 * What an import changes, in names that people read, and a digest of it: whoever has seen a plan can
 * have exactly that carried out, or nothing.
 */
import { createHash } from 'node:crypto';
import type { ExistingGroup, ImportPlan } from './import-plan.ts';

/** A group's place, by the parent's name. */
type GroupMove = {
  readonly name: string;
  readonly from: string | null;
  readonly to: string | null;
};

/** Everything that an import changes, sorted by code unit. */
export type ImportDiff = {
  readonly groups_added: readonly {
    readonly name: string;
    readonly display_name: string;
    readonly parent: string | null;
    /** The name in the import, when it had to be made to fit. */
    readonly imported_as: string | null;
  }[];
  readonly groups_moved: readonly GroupMove[];
  /** From and to are display names. */
  readonly groups_renamed: readonly {
    readonly name: string;
    readonly from: string;
    readonly to: string;
  }[];
  /** Subjects of the connector. */
  readonly members_added: readonly string[];
  readonly memberships_added: readonly { readonly group: string; readonly subject: string }[];
};

/** What {@link createImportDiff} tells of; memberships and members are those that weren't there. */
export type ImportChanges = {
  readonly plan: ImportPlan;
  readonly existing: readonly ExistingGroup[];
  readonly members: readonly string[];
  readonly memberships: readonly { readonly groupId: string; readonly subject: string }[];
};

/** Puts an import's changes into words. */
export const createImportDiff = (changes: ImportChanges): ImportDiff => {
  const { plan, existing } = changes;
  const names = new Map([...existing, ...plan.create].map((group) => [group.id, group.name]));
  const nameOf = (id: string | null): string | null =>
    id === null ? null : (names.get(id) ?? null);
  const moved = plan.update.filter((group) => group.parentId !== group.before.parentId);
  const renamed = plan.update.filter((group) => group.displayName !== group.before.displayName);
  return {
    groups_added: byName(
      plan.create.map(({ name, displayName, parentId, importedAs }) => ({
        name,
        display_name: displayName,
        parent: nameOf(parentId),
        imported_as: importedAs,
      })),
    ),
    groups_moved: byName(
      moved.map(({ name, parentId, before }) => ({
        name,
        from: nameOf(before.parentId),
        to: nameOf(parentId),
      })),
    ),
    groups_renamed: byName(
      renamed.map(({ name, displayName, before }) => ({
        name,
        from: before.displayName,
        to: displayName,
      })),
    ),
    members_added: changes.members.toSorted(),
    memberships_added: changes.memberships
      .map(({ groupId, subject }) => ({ group: nameOf(groupId) ?? '', subject }))
      .toSorted((a, b) => compare(a.group, b.group) || compare(a.subject, b.subject)),
  };
};

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const byName = <Item extends { readonly name: string }>(items: readonly Item[]): Item[] =>
  items.toSorted((a, b) => compare(a.name, b.name));

/**
 * The SHA-256 of a diff, in base64url: the same for the same changes, in whatever order they were
 * asked for.
 *
 * @param place where the changes are made: the workspace and the connector
 */
export const digestImportDiff = (diff: ImportDiff, place: readonly string[]): string =>
  createHash('sha256')
    .update(JSON.stringify([place, diff]))
    .digest('base64url');
