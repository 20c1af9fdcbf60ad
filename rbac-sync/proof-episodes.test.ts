import { describe, expect, it } from 'vitest';
import type { Condition } from './conditions.ts';
import { judgeEpisode } from './proof-episodes.ts';

const synced = (reason: string): Condition => ({
  type: 'Synced',
  status: reason === 'Verified' ? 'True' : 'False',
  reason,
  message: '',
  lastTransitionTime: '2026-01-01T00:00:00Z',
});

describe('judgeEpisode', () => {
  it.each([
    ['Verified', 'NotInForce', 'begins'],
    [undefined, 'NotInForce', 'begins'],
    ['ApplyFailed', 'NotInForce', 'begins'],
    ['NotInForce', 'NotInForce', undefined],
    ['NotInForce', 'Verified', 'ends'],
    ['NotInForce', 'InternalFault', undefined],
    ['NotInForce', undefined, undefined],
    ['Verified', 'Verified', undefined],
    ['ApplyFailed', 'Verified', undefined],
  ])('from %s to %s: %s', (before, now, expected) => {
    const list = (reason: string | undefined) => (reason === undefined ? [] : [synced(reason)]);
    expect(judgeEpisode(list(before), list(now))).toBe(expected);
  });
});
