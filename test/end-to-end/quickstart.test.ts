import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';

const listLeftovers = () =>
  readdirSync(tmpdir()).filter((name) => /^hexabase-[A-Za-z0-9]{6}$/.test(name));

const runQuickstart = (...args: string[]) => {
  const child = spawn(process.execPath, ['quickstart/main.ts', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    output += String(chunk);
  });
  return {
    child,
    read: () => output,
    exited: new Promise<number | null>((resolve) => child.once('exit', resolve)),
  };
};

describe('npm run quickstart', () => {
  it('tells the whole story and exits with 0, leaving nothing behind', async () => {
    const before = listLeftovers();
    const quickstart = runQuickstart('--exit');
    expect(await quickstart.exited, quickstart.read()).toBe(0);
    const transcript = quickstart.read();
    expect(transcript).toMatch(/8\. A membership ends with the token/);
    expect(transcript.match(/verified in the cluster, after \d+/g)?.length).toBeGreaterThanOrEqual(
      5,
    );
    expect(transcript).toMatch(/hexabase:ingress-oncall/);
    expect(transcript).toMatch(/Forbidden/);
    expect(transcript).toMatch(/old_tokens_until/);
    expect(listLeftovers()).toEqual(before);
  });

  it('stays until it is told to stop, and then stops everything', async () => {
    const before = listLeftovers();
    const quickstart = runQuickstart();
    await expect
      .poll(quickstart.read, { timeout: 120_000, interval: 200 })
      .toContain('Three things to try');
    const issuer = /issuer +(https:\S+)/.exec(quickstart.read())?.[1] ?? '';
    quickstart.child.kill('SIGINT');
    expect(await quickstart.exited, quickstart.read()).toBe(0);
    await expect(fetch(issuer)).rejects.toThrow();
    expect(listLeftovers()).toEqual(before);
  });
});
