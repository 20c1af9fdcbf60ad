import { describe, expect, it } from 'vitest';
import { atMost, equalQuantities, parseQuantity, Quantity } from './quantity.ts';

describe('parseQuantity', () => {
  it.each([
    ['1', 1_000_000_000n],
    ['500m', 500_000_000n],
    ['0.5', 500_000_000n],
    ['.5', 500_000_000n],
    ['1Ki', 1024_000_000_000n],
    ['1.5Gi', 1610612736_000_000_000n],
    ['1e3', 1000_000_000_000n],
    ['1E', 10n ** 27n],
    ['1E3', 1000_000_000_000n],
    ['-1', -1_000_000_000n],
    ['1n', 1n],
    ['0.1n', 1n],
  ])('reads %s', (text, nanos) => {
    expect(parseQuantity(text)).toBe(nanos);
  });

  it.each(['', 'abc', '1 Gi', '1gi', '1GiB', '--1', '1e', '1,5', '１', 'Infinity', '1e999'])(
    'refuses %j',
    (text) => {
      expect(parseQuantity(text)).toBeUndefined();
      expect(Quantity.safeParse(text).success).toBe(false);
    },
  );
});

describe('comparison', () => {
  it('is by value', () => {
    expect(equalQuantities('1000m', '1')).toBe(true);
    expect(equalQuantities('1Gi', '1G')).toBe(false);
    expect(atMost('1Gi', '1024Mi')).toBe(true);
    expect(atMost('1025Mi', '1Gi')).toBe(false);
  });

  it('spends no time on a number that no cluster would have made', () => {
    expect(parseQuantity(`${'9'.repeat(100_000)}x`)).toBeUndefined();
    expect(parseQuantity('9'.repeat(10_000_000))).toBeUndefined();
  });

  it('refuses what is not a quantity', () => {
    expect(equalQuantities('x', 'y')).toBe(false);
    expect(atMost('x', '1')).toBe(false);
  });
});
