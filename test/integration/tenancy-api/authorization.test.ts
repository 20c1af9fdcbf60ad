/**
 * Every route, by every kind of caller that must not get through. New routes are walked without a
 * line added here.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createId, formatId } from '#domain/identifiers.ts';
import { PATH_IDENTIFIERS, type Route } from '../../../tenancy-api/route.ts';
import { ROUTES } from '../../../tenancy-api/routes.ts';
import { furnish } from '../../support/furnished-workspace.ts';
import {
  type Answer,
  type Caller,
  startTestApi,
  type TestApi,
  type TestWorkspace,
} from '../../support/tenancy-api.ts';

let api: TestApi;
let admin: Caller;
let stranger: Caller;
let member: Caller;
let billing: Caller;
let workspace: TestWorkspace;
/** Real things of the admin's, by the name that paths have for them. */
let real: Record<string, string>;
let forgeries: Readonly<Record<string, string>>;

beforeAll(async () => {
  api = await startTestApi();
  const people = ['admin', 'stranger', 'member', 'billing'].map((name) => api.signUp(name));
  [admin, stranger, member, billing] = (await Promise.all(people)) as [
    Caller,
    Caller,
    Caller,
    Caller,
  ];
  workspace = await api.createWorkspace(admin);
  await api.addMember(workspace, member);
  await api.database.query(
    `INSERT INTO organization_user (organization_id, person_id, role)
     SELECT organization_id, $1, 'billing' FROM workspace WHERE id = $2`,
    [billing.id, workspace.uuid],
  );
  real = await furnish(api, admin, { workspace, name: 'web' });
  forgeries = await api.issuer.forgeries(admin.id);
});
afterAll(() => api[Symbol.asyncDispose]());

const GUARDED = ROUTES.filter((route) => route.permission !== 'public');
const named = (routes: readonly Route[]) =>
  routes.map((route) => ({ name: `${route.method} ${route.path}`, route }));

const fill = (route: Route, ids: Record<string, string>): string =>
  route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? '');

const send = (token: string | null, route: Route, ids = real): Promise<Answer> =>
  api.call(token, route.method, fill(route, ids), route.body ? {} : undefined);

const withoutRequest = ({ body }: Answer) => {
  const { instance: _, request_id: __, ...rest } = body;
  return JSON.stringify(rest);
};

/** What a change would change: refused requests leave it alone. */
const fingerprint = () =>
  api.database.query(
    `SELECT (SELECT count(*) FROM audit_event) AS events, (SELECT count(*) FROM outbox) AS outbox,
       (SELECT count(*) FROM task) AS tasks, (SELECT sum(generation) FROM workspace) AS generation,
       (SELECT count(*) FROM group_member) AS memberships, (SELECT count(*) FROM person) AS people`,
  );

describe.each(named(GUARDED))('$name', ({ route }) => {
  it('needs a token', async () => {
    const answer = await send(null, route);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('WWW-Authenticate')).toBe('Bearer');
  });

  it('refuses every bad token', async () => {
    const before = await fingerprint();
    for (const [what, token] of Object.entries(forgeries)) {
      const answer = await send(token, route);
      expect(answer.status, what).toBe(401);
      expect(answer.headers.get('WWW-Authenticate'), what).toBe('Bearer error="invalid_token"');
    }
    expect(await fingerprint()).toEqual(before);
  });
});

/**
 * Plans are nobody's: everyone reads them. What only platform administrators may is refused to others
 * before anybody looks whether it exists.
 */
const withIds = GUARDED.filter(
  ({ path, permission }) =>
    path.includes('{') &&
    !path.startsWith('/v1/plans/') &&
    !(typeof permission === 'object' && 'platform' in permission),
);

describe.each(named(withIds))('$name, of somebody else', ({ route }) => {
  it('does not exist for a stranger, just like what is unknown or misspelled', async () => {
    const before = await fingerprint();
    const foreign = await send(stranger.token, route);
    expect(foreign.status).toBe(404);
    const unknown = Object.fromEntries(
      Object.keys(real).map((name) => [
        name,
        formatId(PATH_IDENTIFIERS[name as keyof typeof PATH_IDENTIFIERS], createId()),
      ]),
    );
    const malformed = Object.fromEntries(Object.keys(real).map((name) => [name, 'x%27%00--']));
    for (const ids of [unknown, malformed]) {
      for (const caller of [stranger, admin]) {
        const answer = await send(caller.token, route, ids);
        expect(answer.status).toBe(404);
        expect(withoutRequest(answer)).toBe(withoutRequest(foreign));
        expect(answer.headers.get('Content-Length')).not.toBeNull();
      }
    }
    expect(await fingerprint()).toEqual(before);
  });
});

const forAdmins = GUARDED.filter(
  ({ permission }) =>
    typeof permission === 'object' &&
    'workspace' in permission &&
    permission.workspace.endsWith(':write'),
);

describe.each(named(forAdmins))('$name, for admins', ({ route }) => {
  it('says to a plain member what they lack, whatever they send', async () => {
    const before = await fingerprint();
    const answer = await send(member.token, route);
    expect(answer.status).toBe(403);
    expect(answer.body.detail).toContain((route.permission as { workspace: string }).workspace);
    expect(await fingerprint()).toEqual(before);
  });
});

const inner = GUARDED.filter(
  ({ permission }) =>
    typeof permission === 'object' && 'workspace' in permission && !permission.orOrganization,
);

describe.each(named(inner))('$name, inside a workspace', ({ route }) => {
  it('does not exist for a user of the organization who is not a member', async () => {
    expect((await send(billing.token, route)).status).toBe(404);
  });
});

describe('a caller', () => {
  it('is let in by a token of either algorithm', async () => {
    for (const algorithm of ['ES256', 'RS256'] as const) {
      const token = await api.issuer.sign({ personId: admin.id }, algorithm);
      expect((await api.call(token, 'GET', '/v1/me')).status).toBe(200);
    }
  });

  it('is recognised by the Authorization header alone', async () => {
    const query = await api.call(null, 'GET', `/v1/me?access_token=${admin.token}`);
    expect(query.status).toBe(401);
    for (const value of ['Basic YTpi', 'Bearer', 'Bearer  ', `Bearer ${admin.token} x`, 'x']) {
      const answer = await api.call(null, 'GET', '/v1/me', undefined, { Authorization: value });
      expect(answer.status, value).toBe(401);
    }
    const lower = { Authorization: `bearer ${admin.token}` };
    expect((await api.call(null, 'GET', '/v1/me', undefined, lower)).status).toBe(200);
  });

  it('who is suspended is refused with a valid token', async () => {
    const gone = await api.signUp('gone');
    await api.database.query('UPDATE person SET suspended_at = now() WHERE id = $1', [gone.id]);
    expect((await gone.call('GET', '/v1/me')).status).toBe(403);
  });

  it('who loses the admin group loses the right with the next request', async () => {
    const other = await api.signUp('short-lived');
    await api.addMember(workspace, other);
    const path = `${workspace.path}/groups/${workspace.groups['WSAdmins']}/members/${other.person}`;
    await admin.call('PUT', path);
    const create = (name: string) => other.call('POST', `${workspace.path}/groups`, { name });
    expect((await create('first')).status).toBe(201);
    await admin.call('DELETE', path);
    expect((await create('second')).status).toBe(403);
  });
});

describe('without the issuer', () => {
  it('answers 503 with Retry-After, not 401, until it is back', async () => {
    await using alone = await startTestApi();
    const someone = await alone.signUp('someone');
    alone.issuer.answerWith(500);
    const answer = await someone.call('GET', '/v1/me');
    expect(answer.status).toBe(503);
    expect(answer.headers.get('Retry-After')).toBe('5');
    expect(answer.headers.get('WWW-Authenticate')).toBeNull();
    alone.issuer.answerWith(200);
    expect((await someone.call('GET', '/v1/me')).status).toBe(200);
  });

  it('is not asked for keys by every token with an unknown key', async () => {
    const before = api.issuer.fetches();
    const token = forgeries['foreign key, unknown kid'] ?? '';
    for (let i = 0; i < 20; i += 1) await api.call(token, 'GET', '/v1/me');
    expect(api.issuer.fetches() - before).toBeLessThanOrEqual(1);
  });
});
