import { describe, expect, it } from 'vitest';
import type { Condition } from '../workspace/conditions.ts';
import { judgeEpisode, keepEpisode } from './proof-episodes.ts';

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

describe('keepEpisode', () => {
  it.each([
    ['NotInForce', 'InternalFault', 'NotInForce'],
    ['NotInForce', 'Unreachable', 'NotInForce'],
    ['NotInForce', 'ApplyFailed', 'NotInForce'],
    ['NotInForce', 'NamespaceTaken', 'NamespaceTaken'],
    ['Verified', 'Unreachable', 'Unreachable'],
  ])('from %s with the fault %s states %s', (before, fault, expected) => {
    expect(keepEpisode([synced(before)], synced(fault)).reason).toBe(expected);
  });

  it('leaves what is said of other things', () => {
    const fault = { ...synced('ApplyFailed'), type: 'Provisioned' } as const;
    expect(keepEpisode([synced('NotInForce')], fault)).toBe(fault);
  });
});
