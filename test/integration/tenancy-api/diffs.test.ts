/** Asking what would change in a cluster: who may, what is kept, and who alone can answer. */
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseId } from '#domain/identifiers.ts';
import {
  type Caller,
  startTestApi,
  type TestApi,
  type TestWorkspace,
} from '../../support/tenancy-api.ts';

let api: TestApi;
let admin: Caller;
let member: Caller;
let workspace: TestWorkspace;
beforeAll(async () => {
  api = await startTestApi();
  [admin, member] = await Promise.all([api.signUp('admin'), api.signUp('member')]);
});
beforeEach(async () => {
  workspace = await api.createWorkspace(admin);
  await api.addMember(workspace, member);
});
afterAll(() => api[Symbol.asyncDispose]());

const ask = async (caller: Caller = admin) => caller.call('POST', `${workspace.path}/diffs`);
const pathOf = (id: string) => `${workspace.path}/diffs/${id}`;
const RESULT = { generation: 1, objects: [], omitted: 0, notes: ['Nothing.'] };

/** Answers a diff as rbac-sync does. */
const answer = async (id: string) => {
  await api.database.query(
    `WITH d AS (UPDATE workspace_diff SET result = $2 WHERE id = $1 RETURNING task_id)
     UPDATE task SET state = 'succeeded', progress = 100, finished_at = now()
     FROM d WHERE task.id = d.task_id`,
    [parseId('diff', id), JSON.stringify(RESULT)],
  );
  await api.database.query(`SELECT pg_notify('hexabase_workspace_observed', $1)`, [workspace.uuid]);
};

describe('POST /v1/workspaces/{workspace}/diffs', () => {
  it('starts a task and raises no generation', async () => {
    const before = (await admin.call('GET', workspace.path)).body;
    const { status, body, headers } = await ask();
    expect({ status, body }).toMatchObject({
      status: 202,
      body: {
        diff: { workspace: workspace.id, state: 'pending', error: null, result: null },
        task: { kind: 'workspace.diff', state: 'pending', progress: 0 },
      },
    });
    expect(headers.get('Location')).toBe(`/v1/tasks/${body.task.id}`);
    expect(body.diff.task).toBe(body.task.id);
    const day = Date.parse(body.diff.expires_at) - Date.parse(body.diff.created_at);
    expect(day).toBe(86_400_000);
    const after = (await admin.call('GET', workspace.path)).body;
    expect(after.generation).toBe(before.generation);
  });

  it('gives everyone the one that waits, and a new one once it is begun', async () => {
    const first = (await ask()).body.diff.id;
    const both = await Promise.all([ask(), ask()]);
    expect(both.map(({ body }) => body.diff.id)).toEqual([first, first]);
    await answer(first);
    expect((await ask()).body.diff.id).not.toBe(first);
  });

  it('is refused while the workspace is suspended', async () => {
    await admin.call('POST', `${workspace.path}/suspend`);
    const { status, body } = await ask();
    expect(status).toBe(409);
    expect(body.type).toMatch(/workspace-suspended$/);
  });
});

describe('GET /v1/workspaces/{workspace}/diffs/{diff}', () => {
  it('is waited for, and tells what was found', async () => {
    const { id } = (await ask()).body.diff;
    const waiting = admin.call('GET', pathOf(id), undefined, { Prefer: 'wait=20' });
    await answer(id);
    const { body, headers } = await waiting;
    expect(body).toMatchObject({ id, state: 'succeeded', result: RESULT });
    expect(headers.get('Retry-After')).toBeNull();
  });

  it('is there for a day', async () => {
    const { id } = (await ask()).body.diff;
    await api.database.query(`UPDATE workspace_diff SET expires_at = now() WHERE id = $1`, [
      parseId('diff', id),
    ]);
    expect((await admin.call('GET', pathOf(id))).status).toBe(404);
  });

  it('is not there in another workspace', async () => {
    const { id } = (await ask()).body.diff;
    const other = await api.createWorkspace(admin);
    expect((await admin.call('GET', `${other.path}/diffs/${id}`)).status).toBe(404);
  });
});

it('is for admins alone', async () => {
  const { id } = (await ask()).body.diff;
  for (const request of [ask(member), member.call('GET', pathOf(id))]) {
    expect((await request).status).toBe(403);
  }
});

describe('the API’s role in the database', () => {
  const attempt = async (statement: string, ...values: unknown[]) => {
    const client = new pg.Client({ connectionString: api.database.urlFor('hexabase_tenancy_api') });
    await client.connect();
    try {
      await client.query('BEGIN');
      await client.query(`SELECT set_config('hexabase.person_id', $1, true)`, [admin.id]);
      await client.query(statement, values);
    } finally {
      await client.end();
    }
  };

  it('answers no diff', async () => {
    const id = parseId('diff', (await ask()).body.diff.id);
    const update = `UPDATE workspace_diff SET result = '{}' WHERE id = $1`;
    await expect(attempt(update, id)).rejects.toThrow('permission denied');
    const insert = `INSERT INTO workspace_diff (id, workspace_id, task_id, result)
      SELECT gen_random_uuid(), workspace_id, task_id, '{}' FROM workspace_diff WHERE id = $1`;
    await expect(attempt(insert, id)).rejects.toThrow('permission denied');
  });

  it('gives other tasks a generation', async () => {
    const insert = `INSERT INTO task (id, workspace_id, kind) VALUES (gen_random_uuid(), $1, 'x')`;
    await expect(attempt(insert, workspace.uuid)).rejects.toThrow('task__generation__check');
  });
});
