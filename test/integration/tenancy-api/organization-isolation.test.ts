/**
 * The second wall around organizations, their users, plans and repeated requests: statements sent as
 * the API's database role, past every check of the API itself.
 */
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createId } from '#domain/identifiers.ts';
import { type Caller, startTestApi, type TestApi } from '../../support/tenancy-api.ts';

let api: TestApi;
let alice: Caller;
let bob: Caller;
/** Alice's organization (UUID), which bob has no business in. */
let hers: string;
beforeAll(async () => {
  api = await startTestApi();
  [alice, bob] = await Promise.all([api.signUp('alice'), api.signUp('bob')]);
});
beforeEach(async () => {
  hers = createId();
  await api.database.query('INSERT INTO organization (id, slug, name) VALUES ($1, $2, $3)', [
    hers,
    `org-${hers}`,
    'Acme',
  ]);
  await api.database.query(
    `INSERT INTO organization_user (organization_id, person_id, role) VALUES ($1, $2, 'owner')`,
    [hers, alice.id],
  );
});
afterAll(() => api[Symbol.asyncDispose]());

type Statement = readonly [text: string, ...values: unknown[]];

/** One transaction as the API has it for a person; answers how many rows the last statement met. */
const writeAs = async (
  { id }: Caller,
  statements: readonly Statement[],
  settings: Readonly<Record<string, string>> = {},
): Promise<number> => {
  const client = new pg.Client({ connectionString: api.database.urlFor('hexabase_tenancy_api') });
  await client.connect();
  try {
    await client.query('BEGIN');
    for (const [name, value] of Object.entries({ 'hexabase.person_id': id, ...settings })) {
      await client.query('SELECT set_config($1, $2, true)', [name, value]);
    }
    let rows = 0;
    for (const [text, ...values] of statements) {
      rows = (await client.query(text, values)).rowCount ?? 0;
    }
    await client.query('COMMIT');
    return rows;
  } finally {
    await client.end();
  }
};

const HIDDEN = /row-level security/;
const DENIED = /permission denied/;

const addUser = (organization: string, person: string, role = 'owner'): Statement => [
  'INSERT INTO organization_user (organization_id, person_id, role) VALUES ($1, $2, $3)',
  organization,
  person,
  role,
];

const makeOrganization = (
  id: string,
  {
    personalFor = null,
    deleteAfter = null,
  }: { personalFor?: string | null; deleteAfter?: string | null } = {},
): Statement => [
  `INSERT INTO organization (id, slug, name, personal_for, delete_after, created_by)
   VALUES ($1, $2, 'x', $3, $4, current_person_id())`,
  id,
  `org-${id}`,
  personalFor,
  deleteAfter,
];

const organizations = () =>
  api.database.query(
    `SELECT (SELECT json_agg(o ORDER BY o.id) FROM organization o) AS organizations,
       (SELECT json_agg(u ORDER BY u.organization_id, u.person_id) FROM organization_user u) AS users`,
  );

describe('row-level security on writing users of an organization', () => {
  it('lets nobody into a foreign one, themselves or others', async () => {
    const before = await organizations();
    await expect(writeAs(bob, [addUser(hers, bob.id)])).rejects.toThrow(HIDDEN);
    await expect(writeAs(bob, [addUser(hers, createId())])).rejects.toThrow(HIDDEN);
    expect(await organizations()).toEqual(before);
  });

  it('changes and removes nobody of a foreign one', async () => {
    const before = await organizations();
    const demote = `UPDATE organization_user SET role = 'billing' WHERE organization_id = $1`;
    const remove = 'DELETE FROM organization_user WHERE organization_id = $1';
    expect(await writeAs(bob, [[demote, hers]])).toBe(0);
    expect(await writeAs(bob, [[remove, hers]])).toBe(0);
    expect(await organizations()).toEqual(before);
    expect(await writeAs(alice, [addUser(hers, bob.id, 'admin')])).toBe(1);
    expect(await writeAs(alice, [[demote, hers]])).toBe(2);
  });

  it('moves nobody: a user’s person and organization stay what they are', async () => {
    for (const column of ['person_id', 'organization_id']) {
      const move = `UPDATE organization_user SET ${column} = $2 WHERE organization_id = $1`;
      await expect(writeAs(alice, [[move, hers, bob.id]])).rejects.toThrow(DENIED);
    }
  });
});

describe('row-level security on making organizations', () => {
  it('makes oneself its first user, inside the transaction that makes it', async () => {
    const id = createId();
    expect(await writeAs(bob, [makeOrganization(id), addUser(id, bob.id)])).toBe(1);
  });

  it('makes nobody else its first user', async () => {
    const id = createId();
    const statements = [makeOrganization(id), addUser(id, alice.id)];
    await expect(writeAs(bob, statements)).rejects.toThrow(HIDDEN);
  });

  it('gives one that nobody is left in to nobody', async () => {
    await api.database.query('DELETE FROM organization_user WHERE organization_id = $1', [hers]);
    await expect(writeAs(bob, [addUser(hers, bob.id)])).rejects.toThrow(HIDDEN);
  });

  it('makes none in another’s name', async () => {
    const statement = `INSERT INTO organization (id, slug, name, created_by) VALUES ($1, $2, 'x', $3)`;
    const id = createId();
    await expect(writeAs(bob, [[statement, id, id, alice.id]])).rejects.toThrow(HIDDEN);
  });

  it('makes none that is private or about to go', async () => {
    const own = makeOrganization(createId(), { personalFor: bob.id });
    await expect(writeAs(bob, [own])).rejects.toThrow(HIDDEN);
    const going = makeOrganization(createId(), { deleteAfter: '2030-01-31T17:00:00Z' });
    await expect(writeAs(bob, [going])).rejects.toThrow(HIDDEN);
  });
});

describe('row-level security on changing organizations', () => {
  it.each(['slug', 'name', 'delete_after'])('changes no %s of a foreign one', async (column) => {
    const value = column === 'delete_after' ? 'now()' : `'taken-' || id`;
    const change = `UPDATE organization SET ${column} = ${value} WHERE id = $1`;
    const before = await organizations();
    expect(await writeAs(bob, [[change, hers]])).toBe(0);
    expect(await organizations()).toEqual(before);
    expect(await writeAs(alice, [[change, hers]])).toBe(1);
  });

  it('makes none a private one, and deletes none at once', async () => {
    const claim = 'UPDATE organization SET personal_for = $2 WHERE id = $1';
    await expect(writeAs(alice, [[claim, hers, bob.id]])).rejects.toThrow(DENIED);
    const end = 'DELETE FROM organization WHERE id = $1';
    await expect(writeAs(alice, [[end, hers]])).rejects.toThrow(DENIED);
  });
});

describe('row-level security on plans', () => {
  const ADMIN = { 'hexabase.platform_admin': 'true' };
  const insert = (): Statement => [
    `INSERT INTO plan (id, name, display_name, project_quota, limit_range, max_projects)
     VALUES ($1, $2, 'x', '{}', '[]', 1)`,
    createId(),
    `plan-${createId()}`,
  ];
  const update: Statement = [`UPDATE plan SET max_projects = 1 WHERE name = 'starter'`];
  const plans = () => api.database.query('SELECT * FROM plan ORDER BY id');

  it.each([{}, { 'hexabase.platform_admin': '' }, { 'hexabase.platform_admin': 'false' }])(
    'writes none without the mark of a platform administrator: %j',
    async (settings: Readonly<Record<string, string>>) => {
      const before = await plans();
      await expect(writeAs(alice, [insert()], settings)).rejects.toThrow(HIDDEN);
      expect(await writeAs(alice, [update], settings)).toBe(0);
      expect(await plans()).toEqual(before);
    },
  );

  it('writes with it, for that transaction alone, and deletes none even so', async () => {
    expect(await writeAs(alice, [insert()], ADMIN)).toBe(1);
    expect(await writeAs(alice, [update], ADMIN)).toBe(1);
    expect(await writeAs(alice, [update])).toBe(0);
    await expect(writeAs(alice, [['DELETE FROM plan']], ADMIN)).rejects.toThrow(DENIED);
  });
});

describe('row-level security on repeated requests', () => {
  const remember = (personId: string): Statement => [
    `INSERT INTO idempotency_key (person_id, target, key, fingerprint, status, headers)
     VALUES ($1, 'POST /v1/organizations {}', $2, '', 201, '{}')`,
    personId,
    createId(),
  ];
  const forget = (personId: string): Statement => [
    'DELETE FROM idempotency_key WHERE person_id = $1',
    personId,
  ];

  it('keeps each caller’s answers to themselves', async () => {
    await expect(writeAs(bob, [remember(alice.id)])).rejects.toThrow(HIDDEN);
    expect(await writeAs(alice, [remember(alice.id)])).toBe(1);
    const read: Statement = ['SELECT key FROM idempotency_key'];
    expect(await writeAs(bob, [read])).toBe(0);
    expect(await writeAs(bob, [forget(alice.id)])).toBe(0);
    expect(await writeAs(alice, [read])).toBe(1);
    expect(await writeAs(alice, [forget(alice.id)])).toBe(1);
  });

  it('lets nobody rewrite an answer', async () => {
    const rewrite: Statement = ['UPDATE idempotency_key SET status = 500'];
    await expect(writeAs(alice, [rewrite])).rejects.toThrow(DENIED);
  });
});
