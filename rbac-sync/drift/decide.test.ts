import { describe, expect, it } from 'vitest';
import type { DriftMode } from '#domain/drift.ts';
import type { Adoption } from './adoption.ts';
import { decide, type KnownDrift, listWithheld, PUT_BACK } from './decide.ts';
import { AN_OPENING, aFinding } from './drift.fixture.ts';

const NOW = new Date('2026-01-01T12:00:00Z');
const minutesAgo = (minutes: number) => new Date(NOW.getTime() - minutes * 60_000);
const row = (change: Partial<KnownDrift>): KnownDrift => ({
  id: 'x',
  key: aFinding().key,
  action: 'repaired',
  desiredHash: 'x',
  resolvedAt: minutesAgo(1),
  retryAt: null,
  ...change,
});
const repairs = (...minutes: number[]) => minutes.map((n) => row({ resolvedAt: minutesAgo(n) }));
const ADOPTION: Adoption = { type: 'quota', projectId: 'p', quota: {}, sentence: 'Taken over.' };

const decideOne = (
  options: {
    mode?: DriftMode;
    known?: readonly KnownDrift[];
    finding?: Parameters<typeof aFinding>[0];
    adopt?: Adoption | string;
  } = {},
) => {
  const { mode = 'enforce', known = [], adopt = 'no.' } = options;
  const [decision] = decide([aFinding(options.finding)], {
    mode,
    known,
    now: NOW,
    adopt: () => adopt,
  });
  if (!decision) throw new Error('no decision');
  return decision;
};

describe('decide about what is ours', () => {
  it('tells what can’t be put back: what was in a namespace', () => {
    const namespace = { kind: 'Namespace', change: 'deleted' } as const;
    expect(decideOne({ finding: namespace }).reason).toContain('what was in it is lost');
    expect(decideOne({ finding: { ...namespace, change: 'modified' } }).reason).toBe(PUT_BACK);
  });

  it.each([
    ['is put back', {}, 'repaired', false],
    ['is left alone when the workspace observes', { mode: 'observe' }, 'observed', true],
    [
      'is taken over where the model can say it',
      { mode: 'adopt', adopt: ADOPTION },
      'adopted',
      true,
    ],
    ['is put back where it can’t', { mode: 'adopt', adopt: 'no.' }, 'repaired', false],
    ['is put back twice more', { known: repairs(1, 2) }, 'repaired', false],
    ['is left to who fights for it', { known: repairs(1, 2, 3) }, 'contested', true],
    ['is not, when the repairs are old', { known: repairs(1, 2, 10) }, 'repaired', false],
    [
      'is not, when they were another’s',
      { known: repairs(1, 2, 3).map((r) => ({ ...r, key: 'y' })) },
      'repaired',
      false,
    ],
  ] as const)('%s', (_name, options, action, withhold) => {
    expect(decideOne(options)).toMatchObject({ action, withhold });
  });

  it('waits for half an hour when contested, and less where somebody gains by it', () => {
    const known = repairs(1, 2, 3);
    expect(decideOne({ known }).retryAt).toEqual(new Date('2026-01-01T12:30:00Z'));
    const opening = decideOne({ known, finding: { opened: [AN_OPENING] } });
    expect(opening.retryAt).toEqual(new Date('2026-01-01T12:05:00Z'));
  });

  it('keeps its word until then, and forces the object again after', () => {
    const contested = (retryAt: Date) => [
      ...repairs(6, 7, 8),
      row({ action: 'contested', resolvedAt: null, retryAt }),
    ];
    const later = new Date('2026-01-01T12:01:00Z');
    expect(decideOne({ known: contested(later) })).toMatchObject({
      action: 'contested',
      retryAt: later,
    });
    expect(decideOne({ known: contested(NOW) }).action).toBe('repaired');
  });

  it('says why it can’t be taken over', () => {
    expect(decideOne({ mode: 'adopt', adopt: 'the plan allows less.' }).reason).toContain(
      'the plan allows less.',
    );
  });
});

describe('decide about what is not ours', () => {
  const finding = { origin: 'foreign', change: 'created' } as const;

  it.each([
    ['enforce', 'no.', 'reported'],
    ['observe', ADOPTION, 'reported'],
    ['adopt', 'no.', 'reported'],
    ['adopt', ADOPTION, 'adopted'],
  ] as const)('in the mode %s, with %j: %s', (mode, adopt, action) => {
    expect(decideOne({ mode, adopt, finding })).toMatchObject({ action, withhold: false });
  });

  it('stays taken over, whatever the mode is by then', () => {
    const known = [row({ action: 'adopted', resolvedAt: null })];
    const decision = decideOne({ known, finding, adopt: ADOPTION });
    expect(decision).toMatchObject({ action: 'adopted', adoption: undefined });
  });
});

describe('listWithheld', () => {
  it('leaves alone all that would be in a namespace that is left deleted', () => {
    const gone = {
      key: 'Namespace//shop',
      kind: 'Namespace',
      namespace: undefined,
      name: 'shop',
      change: 'deleted',
    } as const;
    const keys = ['Namespace//shop', 'Role/shop/a', 'Role/other/a'];
    const observed = listWithheld([decideOne({ mode: 'observe', finding: gone })], keys);
    expect([...observed]).toEqual(['Namespace//shop', 'Role/shop/a']);
    expect(listWithheld([decideOne({ finding: gone })], keys).size).toBe(0);
  });
});
