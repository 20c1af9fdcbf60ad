import { describe, expect, it } from 'vitest';
import { JWKS_SECONDS } from '#domain/signing-keys.ts';
import { ID_TOKEN_SECONDS } from '#domain/staleness.ts';
import { API_TOKEN_SECONDS } from '../protocol/time-to-live.ts';
import {
  type KeyRecord,
  type KeyState,
  planRotation,
  type SigningAlgorithm,
  toRotationPolicy,
} from './rotation.ts';

const NOW = new Date('2026-06-01T00:00:00Z');
const POLICY = { rotateSeconds: 1_000, publishSeconds: 100, retainSeconds: 500 };

/** A key that has been in its state for so many seconds. */
const key = (
  state: KeyState,
  ageSeconds: number,
  { kid = state, algorithm = 'ES256' }: { kid?: string; algorithm?: SigningAlgorithm } = {},
): KeyRecord => ({
  kid,
  algorithm,
  state,
  state_since: new Date(NOW.getTime() - ageSeconds * 1_000),
});

// Of the other algorithm all is well.
const RS256 = [
  key('current', 1, { kid: 'rsa', algorithm: 'RS256' }),
  key('next', 1, { kid: 'rsa-next', algorithm: 'RS256' }),
];

const plan = (...records: KeyRecord[]) =>
  planRotation([...records, ...RS256], POLICY, NOW).map((action) =>
    'kid' in action ? `${action.type} ${action.kid}` : `${action.type} ${action.state}`,
  );

describe('planRotation', () => {
  it.each<[string, KeyRecord[], string[]]>([
    ['makes what there is nothing of', [], ['make current', 'make next']],
    ['makes a next key beside a current one', [key('current', 1)], ['make next']],
    ['leaves young keys alone', [key('current', 999), key('next', 999)], []],
    [
      'changes over when the current key is old, and makes the one after',
      [key('current', 1_000), key('next', 100)],
      ['retire current', 'promote next', 'make next'],
    ],
    ['waits until the next key is known everywhere', [key('current', 5_000), key('next', 99)], []],
    [
      'takes the next key at once where nothing signs',
      [key('next', 0)],
      ['promote next', 'make next'],
    ],
    [
      'takes of two next keys the older one, and makes none',
      [key('current', 1_000), key('next', 5, { kid: 'young' }), key('next', 200, { kid: 'old' })],
      ['retire current', 'promote old'],
    ],
    [
      'waits for the older of two next keys',
      [key('current', 1_000), key('next', 5, { kid: 'young' }), key('next', 50, { kid: 'old' })],
      [],
    ],
    ['keeps a retired key', [key('current', 1), key('next', 1), key('retired', 499)], []],
    [
      'deletes a retired key when no token of it can matter',
      [key('current', 1), key('next', 1), key('retired', 500)],
      ['delete retired'],
    ],
    [
      'never forgets a revoked key, nor lets it sign',
      [key('revoked', 1_000_000)],
      ['make current', 'make next'],
    ],
    [
      'leaves alone what a clock that was set back has made younger than nothing',
      [key('current', -5_000), key('next', -5_000), key('retired', -5_000)],
      [],
    ],
  ])('%s', (_name, records, expected) => {
    expect(plan(...records)).toEqual(expected);
  });

  it('looks after each algorithm by itself', () => {
    expect(planRotation([key('current', 1), key('next', 1)], POLICY, NOW)).toEqual([
      { type: 'make', algorithm: 'RS256', state: 'current' },
      { type: 'make', algorithm: 'RS256', state: 'next' },
    ]);
  });
});

describe('the usual policy', () => {
  const policy = toRotationPolicy(30);

  it('publishes a key for two lives of what verifiers keep before it signs', () => {
    expect(policy.publishSeconds).toBeGreaterThan(2 * JWKS_SECONDS);
  });

  it('keeps a retired key longer than any of its tokens', () => {
    expect(policy.retainSeconds).toBeGreaterThan(Math.max(ID_TOKEN_SECONDS, API_TOKEN_SECONDS));
  });
});
