/** Rows of a workspace, written the way the tenancy API writes them: with generation, task and ring. */
import { createId } from '#domain/identifiers.ts';
import type { PolicyRule } from '#domain/policy-rule.ts';
import { DOORBELL_SUBJECTS } from '#runtime/doorbell.ts';
import type { TestDatabase } from './database.ts';
import { poll } from './poll.ts';

/** How the change is told: by the database's own doorbell unless a test has another. */
export type Ring = (workspaceId: string) => Promise<void>;

/** A workspace and how to change it. */
export type WorkspaceRows = {
  readonly id: string;
  /** Rings nobody: for tests of what happens without. */
  readonly changeSilently: (kind: string, ...statements: Statement[]) => Promise<number>;
  /** Changes, rings, and resolves with the task once rbac-sync has ended it. */
  readonly change: (kind: string, ...statements: Statement[]) => Promise<TaskRow>;
  readonly untilObserved: (generation: number, deadlineMs?: number) => Promise<TaskRow>;
  readonly row: () => Promise<WorkspaceRow>;
};

/** Text and values of an SQL statement. */
export type Statement = readonly [text: string, ...values: unknown[]];

/** A workspace as it is. */
export type WorkspaceRow = {
  readonly generation: string;
  readonly observed_generation: string;
  readonly conditions: { type: string; status: string; reason: string; message: string }[];
};

/** A task as it is. */
export type TaskRow = {
  readonly kind: string;
  readonly state: string;
  readonly progress: number;
  readonly step: string | null;
  readonly error: string | null;
};

const STARTER_PLAN = '01940000-0000-7000-8000-000000000001';

/** Inserts a workspace with its preset groups and assignment, and the task of its creation. */
export const insertWorkspace = async (
  database: TestDatabase,
  ring: Ring = (id) => notify(database, id),
): Promise<WorkspaceRows> => {
  const id = createId();
  const organization = createId();
  const [members, admins, users] = [createId(), createId(), createId()];
  await database.query('INSERT INTO organization (id, slug, name) VALUES ($1, $2, $2)', [
    organization,
    `org-${id}`,
  ]);
  await database.query(
    `WITH w AS (
       INSERT INTO workspace (id, organization_id, slug, name, plan_id) VALUES ($1, $2, 'w', 'w', $3) RETURNING id
     ), g AS (
       INSERT INTO workspace_group (id, workspace_id, name, display_name, parent_id, preset)
       SELECT v.id, w.id, v.name, v.name, v.parent_id, true
       FROM w, (VALUES ($4::uuid, 'WorkspaceMembers', NULL::uuid), ($5, 'WSAdmins', $4), ($6, 'WSUsers', $4))
         AS v (id, name, parent_id)
     ), a AS (
       INSERT INTO role_assignment (id, workspace_id, group_id, preset_role, preset)
       VALUES ($7, $1, $5, 'workspace-admin', true)
     )
     INSERT INTO task (id, workspace_id, kind, generation) VALUES ($8, $1, 'workspace.create', 1)`,
    [id, organization, STARTER_PLAN, members, admins, users, createId(), createId()],
  );
  await ring(id);
  return describeWorkspace(database, id, ring);
};

const notify = async (database: TestDatabase, id: string): Promise<void> => {
  const channel = DOORBELL_SUBJECTS.workspaceChanged.replaceAll('.', '_');
  await database.query('SELECT pg_notify($1, $2)', [channel, id]);
};

const describeWorkspace = (database: TestDatabase, id: string, ring: Ring): WorkspaceRows => {
  const changeSilently = async (kind: string, ...statements: Statement[]): Promise<number> => {
    const [row] = await database.transaction<{ generation: string }>([
      ...statements,
      [
        `WITH w AS (UPDATE workspace SET generation = generation + 1 WHERE id = $1 RETURNING generation)
       INSERT INTO task (id, workspace_id, kind, generation) SELECT $2, $1, $3, generation FROM w
       RETURNING generation`,
        id,
        createId(),
        kind,
      ],
    ]);
    return Number(row?.generation);
  };
  const row = async (): Promise<WorkspaceRow> => {
    const [found] = await database.query<WorkspaceRow>(
      'SELECT generation, observed_generation, conditions FROM workspace WHERE id = $1',
      [id],
    );
    if (!found) throw new Error('the workspace is gone');
    return found;
  };
  const untilObserved = (generation: number, deadlineMs = 60_000): Promise<TaskRow> =>
    poll(
      `generation ${generation}`,
      async () => {
        const [task] = await database.query<TaskRow & { finished: boolean }>(
          `SELECT kind, state, progress, step, error FROM task
           WHERE workspace_id = $1 AND generation = $2 AND finished_at IS NOT NULL`,
          [id, generation],
        );
        if (task) return task;
        throw new Error(JSON.stringify((await row()).conditions));
      },
      deadlineMs,
    );
  return {
    id,
    row,
    changeSilently,
    untilObserved,
    change: async (kind, ...statements) => {
      const generation = await changeSilently(kind, ...statements);
      await ring(id);
      return untilObserved(generation);
    },
  };
};

/** A statement that inserts a project. */
export const aProject = (workspaceId: string, name: string, id = createId()): Statement => [
  'INSERT INTO project (id, workspace_id, name, display_name) VALUES ($1, $2, $3, $3)',
  id,
  workspaceId,
  name,
];

/** A statement that inserts a group below WorkspaceMembers. */
export const aGroup = (workspaceId: string, name: string): Statement => [
  `INSERT INTO workspace_group (id, workspace_id, name, display_name, parent_id)
   SELECT $1, $2, $3, $3, id FROM workspace_group WHERE workspace_id = $2 AND name = 'WorkspaceMembers'`,
  createId(),
  workspaceId,
  name,
];

/** Rules of a project role that looks at pods. */
export const READ_PODS = [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }];

/** A statement that inserts a project role. */
export const aProjectRole = (
  workspaceId: string,
  project: string,
  name: string,
  rules: readonly PolicyRule[],
): Statement => [
  `INSERT INTO project_role (id, workspace_id, project_id, name, rules)
   SELECT $1, $2, id, $4, $5 FROM project WHERE workspace_id = $2 AND name = $3`,
  createId(),
  workspaceId,
  project,
  name,
  JSON.stringify(rules),
];

/** A statement that assigns a project role to a group. */
export const anAssignment = (
  workspaceId: string,
  group: string,
  project: string,
  role: string,
): Statement => [
  `INSERT INTO role_assignment (id, workspace_id, group_id, project_id, project_role_id)
   SELECT $1, $2, g.id, j.id, r.id
   FROM workspace_group g, project j JOIN project_role r ON r.project_id = j.id
   WHERE g.workspace_id = $2 AND g.name = $3 AND j.workspace_id = $2 AND j.name = $4 AND r.name = $5`,
  createId(),
  workspaceId,
  group,
  project,
  role,
];

/** A statement that removes all assignments of a group. */
export const noAssignments = (workspaceId: string, group: string): Statement => [
  `DELETE FROM role_assignment USING workspace_group g
   WHERE g.id = role_assignment.group_id AND g.workspace_id = $1 AND g.name = $2`,
  workspaceId,
  group,
];
