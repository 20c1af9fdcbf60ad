import { describe, expect, it } from 'vitest';
import { againInMs } from './trust-watch.ts';

const NOW = Date.parse('2026-01-01T01:00:00Z');
const since = (status: 'True' | 'False' | 'Unknown', lastTransitionTime: string) => [
  { type: 'TrustsIssuer', status, reason: 'x', message: 'x', lastTransitionTime } as const,
];
const statement = (status: 'True' | 'False' | 'Unknown') =>
  ({ type: 'TrustsIssuer', status, reason: 'x', message: 'x' }) as const;

describe('againInMs', () => {
  it.each([
    ['as usual, when all is well', 'True', since('False', '2026-01-01T00:00:00Z'), undefined],
    ['soon, when it is news', 'False', [], 5_000],
    ['soon, when it was another fault', 'False', since('Unknown', '2026-01-01T00:00:00Z'), 5_000],
    [
      'after half the time that it has been so',
      'False',
      since('False', '2026-01-01T00:59:00Z'),
      30_000,
    ],
    ['after four minutes at most', 'Unknown', since('Unknown', '2025-01-01T00:00:00Z'), 240_000],
  ] as const)('is %s', (_name, status, conditions, expected) => {
    expect(againInMs(statement(status), conditions, NOW)).toBe(expected);
  });
});
