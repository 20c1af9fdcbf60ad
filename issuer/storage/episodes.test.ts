import pino from 'pino';
import { describe, expect, it, vi } from 'vitest';
import { createEpisodes, SparedError } from './episodes.ts';

const createLog = () => {
  const lines: string[] = [];
  return { lines, log: pino({ base: null }, { write: (line) => void lines.push(line) }) };
};

describe('an episode', () => {
  it('is logged when it begins and when it ends, and spares calls in between', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const { lines, log } = createLog();
    let failures = 0;
    const episodes = createEpisodes('redis', { log, count: () => (failures += 1) });
    const fail = () => episodes.run(() => Promise.reject(new Error('reset')));
    expect(await episodes.run(async () => 1)).toBe(1);
    await expect(fail()).rejects.toThrow('reset');
    let called = false;
    const spared = episodes.run(async () => {
      called = true;
    });
    await expect(spared).rejects.toBeInstanceOf(SparedError);
    expect(called).toBe(false);
    vi.advanceTimersByTime(1_001);
    await expect(fail()).rejects.toThrow('reset');
    vi.advanceTimersByTime(1_001);
    expect(await episodes.run(async () => 2)).toBe(2);
    expect(failures).toBe(3);
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual([
      'a store is away; going on without it',
      'a store is back',
    ]);
    vi.useRealTimers();
  });
});
