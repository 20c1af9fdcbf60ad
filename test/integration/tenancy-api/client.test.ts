/** The typed client against the running API, imported as another package would. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  createClient,
  ProblemError,
  type TenancyApiClient,
  unwrap,
  waitForTask,
} from 'hexabase/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Caller,
  startTestApi,
  type TestApi,
  type TestWorkspace,
} from '../../support/tenancy-api.ts';

const run = promisify(execFile);

let api: TestApi;
let caller: Caller;
let client: TenancyApiClient;
let workspace: TestWorkspace;
beforeAll(async () => {
  api = await startTestApi();
  caller = await api.signUp('ada');
  client = createClient({ baseUrl: api.url, token: caller.token });
  workspace = await api.createWorkspace(caller);
});
afterAll(() => api[Symbol.asyncDispose]());

describe('the typed client', () => {
  it('reads, creates and changes', async () => {
    const path = { workspace: workspace.id };
    const me = await unwrap(client.GET('/v1/me'));
    expect(me.id).toBe(caller.person);
    const { data: group, response } = await client.POST('/v1/workspaces/{workspace}/groups', {
      params: { path, header: { 'Idempotency-Key': '"one"' } },
      body: { name: 'sig-release' },
    });
    if (!group) throw new Error(`no group: ${response.status}`);
    const changed = await unwrap(
      client.PATCH('/v1/workspaces/{workspace}/groups/{group}', {
        params: {
          path: { ...path, group: group.id },
          header: { 'If-Match': response.headers.get('ETag') ?? '' },
        },
        body: { display_name: 'SIG Release' },
      }),
    );
    expect(changed.group).toEqual({ ...group, display_name: 'SIG Release' });
  });

  it('asks for a token at each request', async () => {
    let asked = 0;
    const renewing = createClient({
      baseUrl: api.url,
      token: async () => {
        asked += 1;
        return caller.token;
      },
    });
    await unwrap(renewing.GET('/v1/me'));
    await unwrap(renewing.GET('/v1/me'));
    expect(asked).toBe(2);
  });

  it('gives a problem as it is, or throws it when unwrapped', async () => {
    const missing = workspace.id.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    const read = () =>
      client.GET('/v1/workspaces/{workspace}', { params: { path: { workspace: missing } } });
    const { data, error } = await read();
    expect([data, error?.status]).toEqual([undefined, 404]);
    const thrown = await unwrap(read()).catch((reason: unknown) => reason);
    expect(thrown).toBeInstanceOf(ProblemError);
    expect(thrown).toMatchObject({
      status: 404,
      problem: { type: expect.stringMatching(/not-found$/) },
    });
  });

  it('waits for the end of a task, and no longer than it is told to', async () => {
    const { task } = await unwrap(
      client.POST('/v1/workspaces/{workspace}/projects', {
        params: { path: { workspace: workspace.id } },
        body: { name: 'shop' },
      }),
    );
    const signal = AbortSignal.timeout(300);
    await expect(waitForTask(client, task.id, { signal })).rejects.toThrow(/timeout/);
    const seen: string[] = [];
    const onProgress = ({ state }: { state: string }) => seen.push(state);
    const ended = waitForTask(client, task.id, { onProgress });
    await expect.poll(() => seen, { timeout: 10_000 }).toContain('pending');
    await api.observe(workspace);
    expect(await ended).toMatchObject({ id: task.id, state: 'succeeded' });
  });
});

describe('the package', () => {
  it('runs and is typed where it is installed', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'hexabase-client-'));
    try {
      await install(directory);
      const script = join(directory, 'main.mts');
      await writeFile(
        script,
        `import { createClient, unwrap } from 'hexabase/client';
         const client = createClient({ baseUrl: ${JSON.stringify(api.url)}, token: ${JSON.stringify(caller.token)} });
         const me: { id: string } = await unwrap(client.GET('/v1/me'));
         // @ts-expect-error: there is no such path
         client.GET('/v1/nothing');
         console.log(me.id);`,
      );
      expect((await run(process.execPath, [script])).stdout.trim()).toBe(caller.person);
      await run(
        join(process.cwd(), 'node_modules/.bin/tsc'),
        ['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', script],
        { cwd: directory },
      );
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

/** What npm would publish, unpacked where it would be installed, beside the one thing that it needs. */
const install = async (directory: string): Promise<void> => {
  const modules = join(directory, 'node_modules');
  const target = join(modules, 'hexabase');
  await mkdir(target, { recursive: true });
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', directory]);
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  await run('tar', ['-xzf', join(directory, filename), '--strip-components=1', '-C', target]);
  const manifest = JSON.parse(await readFile(join(target, 'package.json'), 'utf8'));
  expect(manifest.dependencies).toHaveProperty('openapi-fetch');
  for (const name of ['openapi-fetch', 'openapi-typescript-helpers']) {
    await symlink(join(process.cwd(), 'node_modules', name), join(modules, name));
  }
};
