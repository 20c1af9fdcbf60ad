import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PROBLEMS, toPointer } from './problems.ts';

describe('PROBLEMS', () => {
  it('gives each problem a URI of its own and an error status', () => {
    const types = Object.values(PROBLEMS).map((problem) => problem.type);
    expect(new Set(types).size).toBe(types.length);
    for (const { status } of Object.values(PROBLEMS)) expect(status).toBeGreaterThanOrEqual(400);
  });

  it('is what docs/problems.md tells, type by type', () => {
    const page = readFileSync(new URL('../docs/problems.md', import.meta.url), 'utf8');
    const told = Array.from(
      page.matchAll(/^\| `([a-z-]+)` \| (\d{3}) \| \S/gm),
      ([, name, status]) => [`https://kaas.hexabase.io/problems/${name}`, Number(status)],
    );
    const known = Object.values(PROBLEMS).map(({ type, status }) => [type, status]);
    expect(told.toSorted()).toEqual(known.toSorted());
  });
});

describe('toPointer', () => {
  it.each([
    [[], '#'],
    [['groups', 3, 'name'], '#/groups/3/name'],
    [['quota', 'example.com/gpu'], '#/quota/example.com~1gpu'],
    [['a~b'], '#/a~0b'],
  ])('%j is %s', (path, pointer) => {
    expect(toPointer(path)).toBe(pointer);
  });
});
