import { describe, expect, it } from 'vitest';
import { SECONDS_LEFT } from './claims.ts';
import { REFRESH_TOKEN_SECONDS, SESSION_IDLE_SECONDS, TIME_TO_LIVE } from './time-to-live.ts';

describe('the life of an ID token', () => {
  it.each([
    [{}, 120],
    [{ [SECONDS_LEFT]: 3_600 }, 120],
    [{ [SECONDS_LEFT]: 17 }, 17],
    [{ [SECONDS_LEFT]: 0 }, 1],
  ])('with %j is %i', (available, life) => {
    const { IdToken } = TIME_TO_LIVE;
    if (typeof IdToken !== 'function') throw new Error('not derived from the membership');
    const token = { available } as Parameters<typeof IdToken>[1];
    expect(IdToken(undefined as never, token, undefined as never)).toBe(life);
  });
});

describe('the life of a refresh token', () => {
  it.each([
    [0, 28_800],
    [4 * 3_600, 28_800],
    [5 * 3_600, 25_200],
    [43_199, 1],
    [50_000, 1],
  ])('after %i seconds of its family is %i', (elapsed, left) => {
    const { RefreshToken } = TIME_TO_LIVE;
    if (typeof RefreshToken !== 'function') throw new Error('not derived from the family');
    const token = { totalLifetime: () => elapsed } as Parameters<typeof RefreshToken>[1];
    expect(RefreshToken(undefined as never, token, undefined as never)).toBe(left);
  });

  it('is within its grant’s', () => {
    expect(TIME_TO_LIVE.Grant).toBeGreaterThan(REFRESH_TOKEN_SECONDS);
  });
});

describe('the life of a session', () => {
  it.each([
    [0, 3_600],
    [7 * 3_600 - 60, 3_600],
    [7 * 3_600 + 60, 3_540],
    [8 * 3_600 - 5, 5],
    [8 * 3_600, 1],
    [9 * 3_600, 1],
  ])('%i seconds after the sign-in is %i', (elapsed, left) => {
    expect(lifeOf({ loginTs: Math.floor(Date.now() / 1000) - elapsed })).toBeOneOf([
      left,
      left - 1,
    ]);
  });

  it('before any sign-in is the idle limit', () => {
    expect(lifeOf({})).toBe(SESSION_IDLE_SECONDS);
  });

  const lifeOf = (session: { loginTs?: number }) => {
    const { Session } = TIME_TO_LIVE;
    if (typeof Session !== 'function') throw new Error('not derived from the sign-in');
    return Session(undefined as never, session as Parameters<typeof Session>[1]);
  };
});
