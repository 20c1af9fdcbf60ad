/**
 * Under which names the groups of an import are kept. Names of real organisations have spaces,
 * slashes and other scripts, which tokens and bindings can't carry. Pure: what a name becomes depends
 * on the names of the import and of the workspace alone, never on the order they come in.
 */
import { fitGroupName, foldGroupName, GroupName, toOwnGroupName } from './group-name.ts';
import { PRESET_GROUPS } from './presets.ts';

/** A group of the workspace, and the name an import knew it by when that had to be made to fit. */
export type KnownGroup = { readonly name: string; readonly importedAs: string | null };

/** Whether a name is that of a preset group, in any case. */
export const isPresetGroupName = (name: string): boolean => PRESET_NAMES.has(foldGroupName(name));

const PRESET_NAMES: ReadonlySet<string> = new Set(
  PRESET_GROUPS.map((group) => foldGroupName(group.name)),
);

/**
 * A valid name for each name of an import, each its own. A group that is there keeps the name it has,
 * by its name or by the one it was imported as; a valid name that is free stays; what remains is made
 * to fit, and told apart by a hash of the original where that is taken. A preset's name stays as it
 * is, to be refused.
 *
 * @returns name in the import → name of the group
 */
export const fitImportNames = (
  names: Iterable<string>,
  existing: readonly KnownGroup[],
): ReadonlyMap<string, string> => {
  const there = new Set(existing.map((group) => group.name));
  const importedAs = new Map(existing.map((group) => [group.importedAs, group.name]));
  const taken = new Set([...PRESET_NAMES, ...Array.from(there, foldGroupName)]);
  const fitted = new Map<string, string>();
  const free: string[] = [];
  for (const name of new Set(names)) {
    const known = there.has(name) || isPresetGroupName(name) ? name : importedAs.get(name);
    if (known === undefined) free.push(name);
    else fitted.set(name, known);
  }
  for (const name of inFittingOrder(free)) {
    const own = chooseName(name, taken);
    taken.add(foldGroupName(own));
    fitted.set(name, own);
  }
  return fitted;
};

/** Valid names first, so that none of them gives way to one that was made to fit. */
const inFittingOrder = (names: readonly string[]): string[] => {
  const sorted = names.toSorted();
  const isValid = (name: string): boolean => GroupName.safeParse(name).success;
  return [...sorted.filter(isValid), ...sorted.filter((name) => !isValid(name))];
};

const HASH_DIGITS = [8, 16, 32, 60];

const chooseName = (name: string, taken: ReadonlySet<string>): string => {
  const base = GroupName.safeParse(name).success ? name : fitGroupName(name);
  const candidates = [base, ...HASH_DIGITS.map((digits) => toOwnGroupName(base, name, digits))];
  return candidates.find((candidate) => !taken.has(foldGroupName(candidate))) ?? base;
};
