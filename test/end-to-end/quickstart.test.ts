import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'quickstart-test-'));
  // PostgreSQL, which root runs as another user, must get in.
  chmodSync(directory, 0o755);
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** What a run left in its temporary directory, but for the copy of PostgreSQL that root keeps there. */
const listLeftovers = () =>
  readdirSync(directory).filter((name) => !/^hexabase-postgres-\d+\./.test(name));

const runQuickstart = (...args: string[]) => {
  const child = spawn(process.execPath, ['quickstart/main.ts', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: directory },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += String(chunk);
    });
  }
  return {
    child,
    read: () => output,
    exited: new Promise<number | null>((resolve) => child.once('exit', resolve)),
  };
};

describe('npm run quickstart', () => {
  it('tells the whole story and exits with 0, leaving nothing behind', async () => {
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
    expect(listLeftovers()).toEqual([]);
  });

  it('stays until it is told to stop, and then stops everything', async () => {
    const quickstart = runQuickstart();
    await expect
      .poll(quickstart.read, { timeout: 120_000, interval: 200 })
      .toContain('Two things to try');
    const issuer = /issuer +(https:\S+)/.exec(quickstart.read())?.[1] ?? '';
    quickstart.child.kill('SIGINT');
    expect(await quickstart.exited, quickstart.read()).toBe(0);
    await expect(fetch(issuer)).rejects.toThrow();
    expect(listLeftovers()).toEqual([]);
  });
});
