import { describe, expect, it } from 'vitest';
import { createVerifiedTokens } from './verified-tokens.ts';

const HOUR_MS = 3_600_000;

const start = (maxTokens = 10) => {
  const clock = { now: 1_000_000 };
  const tokens = createVerifiedTokens({ maxAgeMs: 10_000, maxTokens, now: () => clock.now });
  return { clock, tokens };
};

describe('createVerifiedTokens', () => {
  it('finds what it remembers, and no other token', () => {
    const { clock, tokens } = start();
    tokens.remember('one', 'ann', clock.now + HOUR_MS);
    expect(tokens.find('one')).toBe('ann');
    expect(tokens.find('one ')).toBeUndefined();
    expect(tokens.find('two')).toBeUndefined();
  });

  it.each([
    { name: 'its own time', lifeMs: HOUR_MS, endsAfterMs: 10_000 },
    { name: 'the token’s', lifeMs: 300, endsAfterMs: 300 },
  ])('forgets after $name', ({ lifeMs, endsAfterMs }) => {
    const { clock, tokens } = start();
    tokens.remember('one', 'ann', clock.now + lifeMs);
    clock.now += endsAfterMs - 1;
    expect(tokens.find('one')).toBe('ann');
    clock.now += 1;
    expect(tokens.find('one')).toBeUndefined();
  });

  it('lets the first go when it is full', () => {
    const { clock, tokens } = start(2);
    for (const token of ['one', 'two', 'three']) {
      tokens.remember(token, token, clock.now + HOUR_MS);
    }
    expect(['one', 'two', 'three'].map(tokens.find)).toEqual([undefined, 'two', 'three']);
  });
});
