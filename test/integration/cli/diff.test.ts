/** `hexabase diff` as a process, against the API as it runs, with answers as rbac-sync writes them. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ClusterDiff, ObjectDiff } from '#domain/cluster-diff.ts';
import { createTokenCache } from '../../../cli/token-cache.ts';
import { poll } from '../../support/poll.ts';
import {
  type Caller,
  startTestApi,
  type TestApi,
  type TestWorkspace,
} from '../../support/tenancy-api.ts';

const ISSUER = 'https://issuer.example.test/';
const MAIN = new URL('../../../cli/main.ts', import.meta.url).pathname;

let stack: AsyncDisposableStack;
let api: TestApi;
let admin: Caller;
let workspace: TestWorkspace;
let cache: string;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  api = stack.use(await startTestApi());
  cache = await mkdtemp(join(tmpdir(), 'hexabase-cli-'));
  stack.defer(() => rm(cache, { recursive: true, force: true }));
  admin = await api.signUp('admin');
  // As after a sign-in.
  const later = Math.floor(Date.now() / 1000) + 3600;
  await createTokenCache(cache).write(
    { issuer: ISSUER, clientId: 'hexabase-cli' },
    {
      idToken: 'none',
      idTokenExpiresAt: later,
      accessToken: admin.token,
      accessTokenExpiresAt: later,
    },
  );
});
beforeEach(async () => {
  workspace = await api.createWorkspace(admin);
});
afterAll(() => stack.disposeAsync());

type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

const hexabase = (...args: string[]): Promise<Ended> =>
  new Promise((resolve) => {
    const env = { ...process.env, HEXABASE_API_URL: api.url, HEXABASE_ISSUER_URL: ISSUER };
    const child = execFile(
      process.execPath,
      [MAIN, ...args, '--cache-dir', cache],
      { env },
      (_, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
    );
  });

/** Answers the diff that is asked for next. */
const answerNext = async (
  result: ClusterDiff | null,
  end: { state: string; error: string | null } = { state: 'succeeded', error: null },
): Promise<void> => {
  const task = await poll('a diff', async () => {
    const [row] = await api.database.query<{ task_id: string }>(
      `SELECT d.task_id FROM workspace_diff d JOIN task t ON t.id = d.task_id
       WHERE d.workspace_id = $1 AND t.finished_at IS NULL`,
      [workspace.uuid],
    );
    return row?.task_id;
  });
  await api.database.transaction([
    [
      'UPDATE workspace_diff SET result = $2 WHERE task_id = $1',
      task,
      result && JSON.stringify(result),
    ],
    [
      'UPDATE task SET state = $2, error = $3, finished_at = now() WHERE id = $1',
      task,
      end.state,
      end.error,
    ],
  ]);
};

const object: ObjectDiff = {
  action: 'update',
  kind: 'ResourceQuota',
  namespace: 'shop',
  name: 'hexabase-plan',
  before: { kind: 'ResourceQuota', spec: { hard: { pods: '200' } } },
  after: { kind: 'ResourceQuota', spec: { hard: { pods: '20' } } },
  checked: true,
  refusal: null,
};
const NOTHING: ClusterDiff = { generation: 1, objects: [], omitted: 0, notes: [] };

describe('hexabase diff', () => {
  it('prints what would change, and exits with 1', async () => {
    const running = hexabase('diff', workspace.id);
    await answerNext({ ...NOTHING, objects: [object], notes: ['Something else.'] });
    const { code, stdout, stderr } = await running;
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'Something else.\n' });
    expect(stdout).toMatch(/^# update ResourceQuota shop\/hexabase-plan\n--- live\//);
    expect(stdout).toContain('-    pods: "200"\n+    pods: "20"\n');
  });

  it('exits with 0 when nothing would, for a workspace by its slugs', async () => {
    const { body } = await admin.call('GET', workspace.path);
    const running = hexabase('diff', `${body.organization_slug}/${body.slug}`);
    await answerNext(NOTHING);
    expect(await running).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('prints JSON for programs', async () => {
    const running = hexabase('diff', workspace.id, '-o', 'json');
    const result = { ...NOTHING, objects: [object] };
    await answerNext(result);
    const { code, stdout } = await running;
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual(result);
  });

  it('exits with 1 when all that would change is not shown', async () => {
    const running = hexabase('diff', workspace.id);
    await answerNext({ ...NOTHING, omitted: 2 });
    const { code, stderr } = await running;
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: '2 more objects would change and are not shown.\n',
    });
  });

  it('says why it could not be found out, and exits with 2', async () => {
    const running = hexabase('diff', workspace.id);
    await answerNext(null, { state: 'failed', error: 'The API server can’t be reached.' });
    expect(await running).toEqual({
      code: 2,
      stdout: '',
      stderr: 'hexabase: The API server can’t be reached.\n',
    });
  });

  it.each([
    ['what is no name', 'nonsense', /organization\/workspace by slugs/],
    ['slugs of nothing', 'acme/none', /no workspace acme\/none that you can see/],
    ['a foreign id', 'ws_00000000000000000000000000', /Not found/],
  ])('exits with 2 for %s', async (_, name, message) => {
    const { code, stdout, stderr } = await hexabase('diff', name);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });

  it('sends no token over http to another machine', async () => {
    const { code, stderr } = await hexabase('diff', workspace.id, '--api-url', 'http://192.0.2.1');
    expect(code).toBe(2);
    expect(stderr).toMatch(/https:\/\/ URL/);
  });
});
