import { describe, expect, it } from 'vitest';
import { BusyError, createTurns } from './turns.ts';

describe('turns', () => {
  it('are given to a few at once, to some more in the order of coming, and to nobody else', async () => {
    const turns = createTurns({ atOnce: 2, waiting: 2 });
    const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
    const begun: number[] = [];
    const work = gates.map(({ promise }, index) =>
      turns(async () => {
        begun.push(index);
        await promise;
        return index;
      }),
    );
    await expect(turns(async () => 4)).rejects.toThrow(BusyError);
    expect(begun).toEqual([0, 1]);
    gates[1]?.resolve();
    await work[1];
    expect(begun).toEqual([0, 1, 2]);
    for (const { resolve } of gates) resolve();
    expect(await Promise.all(work)).toEqual([0, 1, 2, 3]);
    expect(await turns(async () => 5)).toBe(5);
  });

  it('go on after work that failed', async () => {
    const turns = createTurns({ atOnce: 1, waiting: 0 });
    await expect(turns(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await turns(async () => 'done')).toBe('done');
  });
});
