/**
 * Every route by every kind of caller, as the API really answers, held against the table in
 * docs/authorization.md: a new route, or a right that moved, changes the table and has to be looked at
 * (`npm run test:integration -- route-roles -u` writes it).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createId, formatId } from '#domain/identifiers.ts';
import { PATH_IDENTIFIERS, type Route } from '../../../tenancy-api/route.ts';
import { ROUTES } from '../../../tenancy-api/routes.ts';
import { fillPath, furnish } from '../../support/furnished-workspace.ts';
import {
  type Caller,
  PLATFORM_ADMIN,
  startTestApi,
  type TestApi,
  type TestWorkspace,
} from '../../support/tenancy-api.ts';

let api: TestApi;
let workspace: TestWorkspace;
/** Real things, by the name that paths have for them. */
let real: Record<string, string>;
let callers: Readonly<Record<string, Caller>>;

/** The columns of the table: what someone is in the organization, in its workspace, on the platform. */
const STANDINGS = [
  'owner',
  'admin',
  'billing',
  'WSAdmins',
  'member',
  'platform admin',
  'anyone else',
] as const;
const CALLERS = [...STANDINGS, 'removed', 'suspended'] as const;

const insertUser = (caller: Caller, role: string) =>
  api.database.query(
    `INSERT INTO organization_user (organization_id, person_id, role)
     SELECT organization_id, $1, $2 FROM workspace WHERE id = $3`,
    [caller.id, role, workspace.uuid],
  );

const insertMember = (caller: Caller) => api.addMember(workspace, caller);

const insertAdmin = async (caller: Caller) => {
  await insertMember(caller);
  await api.database.query(
    `INSERT INTO group_member (workspace_id, person_id, group_id)
     SELECT $1, $2, id FROM workspace_group WHERE workspace_id = $1 AND name = 'WSAdmins'`,
    [workspace.uuid, caller.id],
  );
};

beforeAll(async () => {
  api = await startTestApi();
  const founder = await api.signUp('founder');
  workspace = await api.createWorkspace(founder);
  callers = Object.fromEntries(
    await Promise.all(CALLERS.map(async (name) => [name, await api.signUp(name)] as const)),
  );
  for (const role of ['owner', 'admin', 'billing']) await insertUser(caller(role), role);
  for (const name of ['WSAdmins', 'removed', 'suspended']) await insertAdmin(caller(name));
  for (const name of ['removed', 'suspended']) await insertUser(caller(name), 'owner');
  await insertMember(caller('member'));
  await api.database.query(
    'INSERT INTO identity (connector, subject, person_id) VALUES ($1, $2, $3)',
    [PLATFORM_ADMIN.connector, PLATFORM_ADMIN.subject, caller('platform admin').id],
  );
  real = await furnish(api, founder, { workspace, name: 'web' });
  const { id: removed } = caller('removed');
  await api.database.query('DELETE FROM workspace_member WHERE person_id = $1', [removed]);
  await api.database.query(
    `DELETE FROM organization_user u USING workspace w
     WHERE u.organization_id = w.organization_id AND w.id = $1 AND u.person_id = $2`,
    [workspace.uuid, removed],
  );
  await api.database.query('UPDATE person SET suspended_at = now() WHERE id = $1', [
    caller('suspended').id,
  ]);
});
afterAll(() => api[Symbol.asyncDispose]());

const caller = (name: string): Caller => {
  const found = callers[name];
  if (!found) throw new Error(`there is no caller "${name}"`);
  return found;
};

/**
 * Asks with a parameter that no route knows: whoever may call the route hears of it, and nothing is
 * done; everyone else is refused before anyone has looked at it.
 */
const ask = async (who: Caller, route: Route): Promise<string> => {
  const path = `${fillPath(route, real)}?no_such_parameter=1`;
  const { status, body } = await who.call(route.method, path, route.body ? {} : undefined);
  const allowed =
    status === 400 &&
    body.errors?.some((error: { parameter?: string }) => error.parameter === 'no_such_parameter');
  return allowed ? 'yes' : `${status}`;
};

const GUARDED = ROUTES.filter((route) => route.permission !== 'public');
const named = GUARDED.map((route) => ({ name: `${route.method} ${route.path}`, route }));

const everything = () =>
  api.database.query(
    `SELECT (SELECT count(*) FROM audit_event) AS events, (SELECT count(*) FROM task) AS tasks,
       (SELECT sum(generation) FROM workspace) AS generation, (SELECT count(*) FROM person) AS people`,
  );

it('knows a real thing for every name in a path', () => {
  for (const name of Object.keys(PATH_IDENTIFIERS)) expect(real[name], name).toBeTruthy();
});

it('answers by the table in the documentation', async () => {
  const before = await everything();
  const rows: string[] = [];
  for (const route of GUARDED) {
    const answers: string[] = [];
    for (const name of STANDINGS) answers.push(await ask(caller(name), route));
    rows.push(`| \`${route.method} ${route.path}\` | ${answers.join(' | ')} |`);
  }
  expect(await everything()).toEqual(before);
  const head = ['Route', ...STANDINGS];
  const table = [`| ${head.join(' | ')} |`, `|${head.map(() => '---').join('|')}|`, ...rows].join(
    '\n',
  );
  await expect(`${INTRODUCTION}\n${table}\n`).toMatchFileSnapshot('../../../docs/authorization.md');
});

const INTRODUCTION = `# Who may call what

Every route of the tenancy API by every kind of caller, as the API answers: \`yes\`, or the status of the
refusal. A test asks each of these questions of the running API and compares the answers with this page, so
it is true. The rules behind it are in \`domain/permissions.ts\`.

- **owner**, **admin** and **billing** are roles of an organization. They give nothing inside a workspace: the
  first three columns are people who are not members of it.
- **WSAdmins** and **member** are members of the workspace who have no role in the organization.
- **platform admin** is named in the settings of the API and has no other role here.
- 404 is what is answered to someone who has no business there, to the byte as for what does not exist.

Without a token, and with one that has expired, is for another audience or is a workspace's ID token, every
route here answers 401; to a suspended person 403. What a \`yes\` may still be refused for (the last owner, a
preset group, an owner's role given by an admin …) is told by each operation in the reference.
`;

describe.each(named)('$name', ({ route }) => {
  it('answers who was removed as it answers anyone else', async () => {
    expect(await ask(caller('removed'), route)).toBe(await ask(caller('anyone else'), route));
  });

  it('refuses who is suspended', async () => {
    expect(await ask(caller('suspended'), route)).toBe('403');
  });

  it('refuses no token and the wrong one, and does not say whether the thing exists', async () => {
    const owner = caller('owner');
    const { sign } = api.issuer;
    const tokens = {
      none: null,
      expired: await sign({ personId: owner.id, expiresInSeconds: -60 }),
      'wrong audience': await sign({
        personId: owner.id,
        claims: { aud: 'https://other.example' },
      }),
      'ID token of the workspace': await sign({
        personId: owner.id,
        header: { typ: 'JWT' },
        claims: { aud: workspace.id },
      }),
    };
    const unknown = Object.fromEntries(
      Object.entries(PATH_IDENTIFIERS).map(([name, kind]) => [name, formatId(kind, createId())]),
    );
    for (const [what, token] of Object.entries(tokens)) {
      for (const ids of [real, unknown]) {
        const body = route.body ? {} : undefined;
        const answer = await api.call(token, route.method, fillPath(route, ids), body);
        expect(answer.status, what).toBe(401);
      }
    }
  });
});
