import { describe, expect, it } from 'vitest';
import { type Condition, withStatements } from './conditions.ts';

const synced = (status: 'True' | 'False', message: string) =>
  ({ type: 'Synced', status, reason: 'Because', message }) as const;
const earlier: Condition = {
  ...synced('True', 'well'),
  lastTransitionTime: '2026-01-01T00:00:00Z',
};
const now = new Date('2026-02-02T00:00:00Z');

describe('withStatements', () => {
  it.each([
    ['keeps the time while the status stays', synced('True', 'still well'), '2026-01-01T00:00:00Z'],
    ['moves the time with the status', synced('False', 'broken'), '2026-02-02T00:00:00.000Z'],
  ])('%s', (_name, statement, lastTransitionTime) => {
    expect(withStatements([earlier], [statement], now)).toEqual([
      { ...statement, lastTransitionTime },
    ]);
  });

  it('keeps no more of a message than people read', () => {
    const [condition] = withStatements([], [synced('True', 'x'.repeat(1_000_000))], now);
    expect(condition?.message).toHaveLength(10_000);
  });

  it('keeps what nothing is said of', () => {
    const other = { ...synced('True', 'up'), type: 'Provisioned' } as const;
    expect(withStatements([earlier], [other], now)).toMatchObject([earlier, other]);
  });
});
