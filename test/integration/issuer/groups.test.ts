import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import type { DatabasePool } from 'slonik';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createId } from '#domain/identifiers.ts';
import { resolveMembership } from '../../../issuer/people/groups.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { createPerson, createWorkspace } from './tenancy-rows.ts';

let database: TestDatabase;
let pool: DatabasePool;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = await database.connectAs('hexabase_issuer');
});
afterAll(() => database[Symbol.asyncDispose]());

/** A group by name, and the name of its parent. */
type Group = { readonly name: string; readonly parent: string | null };

/** Stores groups and direct members in a workspace of their own. */
const store = async (groups: readonly Group[], members: ReadonlyMap<string, readonly string[]>) => {
  const workspace = await createWorkspace(database);
  const ids = new Map(groups.map(({ name }) => [name, createId()]));
  await database.query(
    `INSERT INTO workspace_group (id, workspace_id, name, display_name)
     SELECT id, $1, name, name FROM unnest($2::uuid[], $3::text[]) AS g (id, name)`,
    [workspace.id, [...ids.values()], [...ids.keys()]],
  );
  const children = groups.filter(({ parent }) => parent !== null);
  await database.query(
    `UPDATE workspace_group g SET parent_id = c.parent
     FROM unnest($1::uuid[], $2::uuid[]) AS c (id, parent) WHERE g.id = c.id`,
    [
      children.map(({ name }) => ids.get(name)),
      children.map(({ parent }) => ids.get(parent ?? '')),
    ],
  );
  const people = new Map<string, string>();
  for (const [handle, direct] of members) {
    const person = await createPerson(database);
    people.set(handle, person);
    await workspace.addMember(person, ...direct.map((name) => ids.get(name) ?? ''));
  }
  const resolve = (handle: string) => resolveGroups(pool, people.get(handle) ?? '', workspace.id);
  return { workspace, people, resolve };
};

const resolveGroups = async (...of: Parameters<typeof resolveMembership>) =>
  (await resolveMembership(...of))?.groups;

/** The definition, as slow as it is plain: a group counts if it or any group below it has the person. */
const naiveGroups = (groups: readonly Group[], direct: readonly string[]): string[] => {
  const hasPerson = (name: string): boolean =>
    direct.includes(name) || groups.some((group) => group.parent === name && hasPerson(group.name));
  return groups
    .map(({ name }) => name)
    .filter(hasPerson)
    .sort();
};

describe('resolveMembership', () => {
  it('is the same as the definition, for any tree and membership', async () => {
    const forest = fc
      .integer({ min: 1, max: 14 })
      .chain((size) =>
        fc.tuple(
          fc.tuple(
            ...Array.from({ length: size }, (_, i) =>
              fc.option(fc.nat({ max: Math.max(i - 1, 0) })),
            ),
          ),
          fc.uniqueArray(fc.nat({ max: size - 1 })),
        ),
      );
    await fc.assert(
      fc.asyncProperty(forest, async ([parents, direct]) => {
        const groups = parents.map((parent, i) => ({
          name: `G${i}`,
          parent: i === 0 || parent === null ? null : `G${parent}`,
        }));
        const names = direct.map((i) => `G${i}`);
        const { resolve } = await store(groups, new Map([['p', names]]));
        expect(await resolve('p')).toEqual(naiveGroups(groups, names));
      }),
      { numRuns: 60 },
    );
  });

  it('goes a thousand levels up', async () => {
    const name = (level: number) => `level-${String(level).padStart(4, '0')}`;
    const groups = Array.from({ length: 1000 }, (_, level) => ({
      name: name(level),
      parent: level === 0 ? null : name(level - 1),
    }));
    const { resolve } = await store(
      groups,
      new Map([
        ['deep', [name(999)]],
        ['top', [name(0)]],
      ]),
    );
    expect(await resolve('deep')).toEqual(groups.map((group) => group.name));
    expect(await resolve('top')).toEqual([name(0)]);
  });

  it('ends on damaged data with a cycle', async () => {
    const groups = [
      { name: 'a', parent: 'c' },
      { name: 'b', parent: 'a' },
      { name: 'c', parent: 'b' },
      { name: 'below', parent: 'a' },
    ];
    const { resolve } = await store(groups, new Map([['p', ['below']]]));
    expect(await resolve('p')).toEqual(['a', 'b', 'below', 'c']);
  });

  it('sorts by code unit, upper case first, and knows no duplicates', async () => {
    const groups = ['b', 'B', '_'].map((name) => ({
      name: name === '_' ? '0_' : `${name}1`,
      parent: 'Root',
    }));
    const all = [
      { name: 'Root', parent: null },
      { name: 'a', parent: 'Root' },
      groups[1]!,
      groups[2]!,
    ];
    const { resolve } = await store(all, new Map([['p', ['a', 'B1', '0_', 'Root']]]));
    expect(await resolve('p')).toEqual(['0_', 'B1', 'Root', 'a']);
  });

  it('tells a member without groups from someone who is none', async () => {
    const { workspace, resolve } = await store([], new Map([['member', []]]));
    expect(await resolve('member')).toEqual([]);
    const stranger = await createPerson(database);
    expect(await resolveGroups(pool, stranger, workspace.id)).toBeUndefined();
    expect(await resolveGroups(pool, stranger, createId())).toBeUndefined();
  });

  it('keeps workspaces apart', async () => {
    const one = await store([{ name: 'one', parent: null }], new Map([['p', ['one']]]));
    const two = await createWorkspace(database);
    const person = one.people.get('p') ?? '';
    await two.addMember(person, await two.addGroup('two'));
    expect(await resolveGroups(pool, person, one.workspace.id)).toEqual(['one']);
    expect(await resolveGroups(pool, person, two.id)).toEqual(['two']);
  });

  it('is right for each of the 666 members of the Kubernetes organisation', async () => {
    const file = new URL('../../data/kubernetes-org-teams.json', import.meta.url);
    const { groups } = JSON.parse(readFileSync(file, 'utf8')) as {
      groups: (Group & { members: string[] })[];
    };
    const members = new Map<string, string[]>();
    for (const { name, members: handles } of groups) {
      for (const handle of handles) members.set(handle, [...(members.get(handle) ?? []), name]);
    }
    expect(members.size).toBe(666);
    const expected = closeUpwards(groups);
    const { resolve } = await store(groups, members);
    for (const handle of members.keys()) {
      expect(await resolve(handle)).toEqual(expected.get(handle));
    }
  });
});

/** Everyone's groups by pushing members up, level by level, until nothing moves. */
const closeUpwards = (
  groups: readonly (Group & { members: readonly string[] })[],
): Map<string, string[]> => {
  const inside = new Map(groups.map(({ name, members }) => [name, new Set(members)]));
  for (let moved = true; moved; ) {
    moved = false;
    for (const { name, parent } of groups) {
      const above = parent === null ? undefined : inside.get(parent);
      for (const handle of inside.get(name) ?? []) {
        if (above && !above.has(handle)) {
          above.add(handle);
          moved = true;
        }
      }
    }
  }
  const result = new Map<string, string[]>();
  for (const [name, handles] of inside) {
    for (const handle of handles) result.set(handle, [...(result.get(handle) ?? []), name]);
  }
  for (const names of result.values()) names.sort();
  return result;
};
