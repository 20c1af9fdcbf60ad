import { describe, expect, it } from 'vitest';
import { readPreferredWait } from './prefer.ts';

describe('readPreferredWait', () => {
  it.each([
    ['', 0],
    ['wait=5', 5],
    ['respond-async, wait=10', 10],
    ['wait = "7" , handling=lenient', 7],
    ['WAIT=3; foo', 3],
    ['wait=999', 30],
    ['wait=-1', 0],
    ['wait=1.5', 0],
    ['wait=soon', 0],
    ['nowait=5', 0],
    ['return=minimal', 0],
  ])('%j asks for %i seconds', (header, seconds) => {
    expect(readPreferredWait(header)).toBe(seconds);
  });
});
