/** What is measured: an embedded PostgreSQL, an issuer of tokens, and a workspace with its admin. */
import pg from 'pg';
import { migrate } from '#database/migrate.ts';
import { createId, formatId } from '#domain/identifiers.ts';
import { startPostgres } from '../../../quickstart/embedded-postgres.ts';
import { API_AUDIENCE, startTokenIssuer } from '../../support/access-token.ts';
import type { ServerSettings } from './process.ts';

const PASSWORD = 'benchmark-only';
const TOKEN_SECONDS = 7200;

/** A person with a token. */
export type BenchPerson = { readonly id: string; readonly token: string };

/** A workspace with its preset groups; ids are UUIDs, `path` is where the API has it. */
export type BenchWorkspace = {
  readonly id: string;
  readonly path: string;
  readonly membersGroup: string;
  readonly adminsGroup: string;
};

/** What benchmarks are run in. */
export type World = AsyncDisposable & {
  readonly settings: ServerSettings;
  /** The superuser: what it writes passes over row-level security. */
  readonly owner: pg.Client;
  readonly organizationId: string;
  readonly admin: BenchPerson;
  readonly workspace: BenchWorkspace;
  readonly addPerson: (name: string) => Promise<BenchPerson>;
  /** A workspace of the organization, with the admin as its only member. */
  readonly addWorkspace: (name: string) => Promise<BenchWorkspace>;
};

/** Starts everything, with one organization, its one user and one workspace. */
export const createWorld = async (): Promise<World> => {
  await using stack = new AsyncDisposableStack();
  const postgres = stack.use(await startPostgres(['-c', 'shared_buffers=1GB', '-c', 'fsync=off']));
  const databaseOwner = postgres.ownerUrl('bench');
  await createBenchDatabase(postgres.ownerUrl('postgres'));
  await migrate(databaseOwner, { hexabase_tenancy_api: PASSWORD });
  const owner = new pg.Client({ connectionString: databaseOwner });
  await owner.connect();
  stack.defer(() => owner.end());
  const issuer = stack.use(await startTokenIssuer());
  const addPerson = async (name: string): Promise<BenchPerson> => {
    const id = createId();
    await insert(owner, 'person', { id, display_name: name, first_signed_in_at: new Date() });
    return { id, token: await issuer.sign({ personId: id, expiresInSeconds: TOKEN_SECONDS }) };
  };
  const connector = { id: 'github', name: 'GitHub', type: 'github', provides_groups: true };
  await insert(owner, 'connector', connector);
  const admin = await addPerson('Admin');
  const organizationId = createId();
  await insert(owner, 'organization', { id: organizationId, slug: 'bench', name: 'Bench' });
  const addWorkspace = (name: string) => furnish(owner, { name, organizationId, admin });
  const workspace = await addWorkspace('bench');
  const settings = {
    databaseUrl: postgres.roleUrl('hexabase_tenancy_api', PASSWORD, 'bench'),
    issuer: { url: issuer.url, certificateAuthority: issuer.certificateAuthority },
    audience: API_AUDIENCE,
  };
  const resources = stack.move();
  return {
    ...{ settings, owner, organizationId, admin, workspace, addPerson, addWorkspace },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
};

const createBenchDatabase = async (connectionString: string): Promise<void> => {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query('CREATE DATABASE bench');
  await client.end();
};

const insert = async (
  owner: pg.Client,
  table: string,
  row: Readonly<Record<string, unknown>>,
): Promise<void> => {
  const places = Object.keys(row).map((_, i) => `$${i + 1}`);
  await owner.query(
    `INSERT INTO ${table} (${Object.keys(row).join(', ')}) VALUES (${places.join(', ')})`,
    Object.values(row),
  );
};

const furnish = async (
  owner: pg.Client,
  { name, organizationId, admin }: { name: string; organizationId: string; admin: BenchPerson },
): Promise<BenchWorkspace> => {
  const [id, membersGroup, adminsGroup] = [createId(), createId(), createId()];
  // As many projects as are measured; plans bound what a cluster has to bear, not this.
  const { rows } = await owner.query<{ id: string }>(
    'UPDATE plan SET max_projects = 1000000 RETURNING id',
  );
  const workspace = { organization_id: organizationId, slug: name, name, plan_id: rows[0]?.id };
  await insert(owner, 'workspace', { id, ...workspace });
  await insert(owner, 'workspace_member', { workspace_id: id, person_id: admin.id });
  const preset = (group: string) => ({ workspace_id: id, name: group, display_name: group });
  await insert(owner, 'workspace_group', {
    ...{ ...preset('WorkspaceMembers'), id: membersGroup, preset: true },
  });
  await insert(owner, 'workspace_group', {
    ...{ ...preset('WSAdmins'), id: adminsGroup, preset: true, parent_id: membersGroup },
  });
  await insert(owner, 'group_member', {
    ...{ workspace_id: id, person_id: admin.id, group_id: adminsGroup },
  });
  const path = `/v1/workspaces/${formatId('workspace', id)}`;
  return { id, path, membersGroup, adminsGroup };
};
