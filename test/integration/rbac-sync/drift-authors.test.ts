/** Whom the ledger names when more than one write could have been the one. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createId } from '#domain/identifiers.ts';
import { explainDrift } from '../../../rbac-sync/drift/queries.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { insertWorkspace } from '../../support/workspace-rows.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

it('is whoever wrote an object by its name, before who let the server name one', async () => {
  const workspace = await insertWorkspace(database, async () => {});
  await database.query(
    `INSERT INTO drift (id, workspace_id, kind, namespace, name, change, action, reason, managers, differences, opened, detected_at)
     VALUES ($1, $2, 'RoleBinding', 'shop', 'x', 'created', 'reported', '', '{}', '[]', '[]', now() - interval '5 seconds')`,
    [createId(), workspace.id],
  );
  const write = (who: string, name: string | null, secondsAgo: number) =>
    database.query(
      `INSERT INTO cluster_write (workspace_id, audit_id, verb, resource, namespace, name, written_at, actor)
       VALUES ($1, $2, 'create', 'rolebindings', 'shop', $3, now() - make_interval(secs => $4),
         jsonb_build_object('username', $5::text, 'name', null, 'email', null, 'impersonated_by', null, 'user_agent', null, 'source_ips', '[]'::jsonb))`,
      [workspace.id, createId(), name, secondsAgo, who],
    );
  await write('mallory', 'x', 5.4);
  await write('bob', null, 5.1);
  await explainDrift(await database.connectAs('hexabase_rbac_sync'), workspace.id);
  const [row] = await database.query<{ who: string }>(
    `SELECT actor ->> 'username' AS who FROM drift`,
  );
  expect(row?.who).toBe('mallory');
});
