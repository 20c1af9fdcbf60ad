/** The story on a real organisation's teams: 750 groups and 666 people, three levels deep, and a generated tree of eight. */
import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { Agent, fetch } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPerson, lastToken, type Person, readClaims } from '../../quickstart/person.ts';
import { type Stack, startStack } from '../../quickstart/stack.ts';
import { type StoryResult, tellStory } from '../../quickstart/story.ts';
import { createTranscript } from '../../quickstart/transcript.ts';
import { refresh, signInWithCode } from '../support/oidc-client.ts';
import { poll } from '../support/poll.ts';

type Team = { name: string; parent: string | null; members: string[] };

const PASSWORD = 'end-to-end-only';
const { groups: teams } = JSON.parse(
  await readFile(new URL('../data/kubernetes-org-teams.json', import.meta.url), 'utf8'),
) as { groups: Team[] };

/** Own groups and ancestors, worked out the slow and obvious way. */
const closure = (trees: Team[], member: string): string[] => {
  const result = new Set<string>();
  for (const own of trees.filter(({ members }) => members.includes(member))) {
    for (let team: Team | undefined = own; team; ) {
      result.add(team.name);
      const { parent }: Team = team;
      team = parent === null ? undefined : trees.find(({ name }) => name === parent);
    }
  }
  result.add('WorkspaceMembers');
  return [...result].sort();
};

const depthOf = ({ parent }: Team): number =>
  parent === null ? 1 : 1 + depthOf(teams.find(({ name }) => name === parent)!);

const deepTeam = teams.find((team) => depthOf(team) === 3 && team.members.length > 0)!;
const topTeam = teams.find(
  ({ name }) => name === teams.find((team) => team.name === deepTeam.parent)!.parent,
)!;
const deepMember = deepTeam.members[0]!;
const sample = [...new Set(teams.flatMap(({ members }) => members))].filter((_, i) => i % 97 === 0);

/** A chain of eight, the member at its end. */
const chain = Array.from({ length: 8 }, (_, i): Team => {
  return { name: `level-${i}`, parent: i === 0 ? null : `level-${i - 1}`, members: [] };
});
chain.at(-1)!.members.push(deepMember);

let stack: Stack;
let story: StoryResult;
let admin: Person;

beforeAll(async () => {
  const subjects = new Set(['ada', 'eve', deepMember, ...sample]);
  stack = await startStack({
    accounts: Array.from(subjects, (subject) => ({ subject, name: subject })),
    password: PASSWORD,
    notify: () => {},
  });
  story = await tellStory({
    stack,
    transcript: createTranscript(process.stdout),
    password: PASSWORD,
    organization: { connector: 'local', groups: teams },
    admin: 'ada',
    member: deepMember,
    memberGroup: deepTeam.name,
    roleGroup: topTeam.name,
  });
  admin = createPerson(stack, { username: 'ada', password: PASSWORD });
});
afterAll(() => stack?.[Symbol.asyncDispose]());

const groupsOf = async (username: string): Promise<unknown> => {
  const person = createPerson(stack, { username, password: PASSWORD });
  const token = lastToken(await person.getToken(story.workspaceId, '--force-refresh'));
  return readClaims(token)['groups'];
};

/** What the story's API server says of a bearer token; kubectl would prefer its credential plugin. */
const whoAmI = async (token: string): Promise<{ status: number; groups: unknown }> => {
  const { body } = await admin.api.request('GET', `/v1/workspaces/${story.workspaceId}`);
  const { endpoint } = body as { endpoint: { server: string; certificate_authority: string } };
  const dispatcher = new Agent({ connect: { ca: endpoint.certificate_authority } });
  const response = await fetch(
    `${endpoint.server}/apis/authentication.k8s.io/v1/selfsubjectreviews`,
    {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'SelfSubjectReview',
      }),
      dispatcher,
    },
  );
  const review = (await response.json()) as { status?: { userInfo?: { groups?: string[] } } };
  await dispatcher.close();
  return { status: response.status, groups: review.status?.userInfo?.groups };
};

describe('a real organisation', () => {
  it('is told through a role given to a team two levels above the member', () => {
    expect(story.groups).toEqual(closure(teams, deepMember));
  });

  it.each(sample)('puts the groups of %s, flat and exact, into their token', async (member) => {
    expect(await groupsOf(member)).toEqual(closure(teams, member));
  });

  it('is imported again without a change', async () => {
    const path = `/v1/workspaces/${story.workspaceId}/imports`;
    const { body } = await admin.api.request('POST', path, { connector: 'local', groups: teams });
    expect(body).toMatchObject({ groups_added: 0, memberships_added: 0 });
  });

  it('takes a generated tree of depth eight beside it, also in a silent refresh', async () => {
    const path = `/v1/workspaces/${story.workspaceId}/imports`;
    await admin.api.request('POST', path, { connector: 'local', groups: chain });
    expect(await groupsOf(deepMember)).toEqual(closure([...teams, ...chain], deepMember));
  });
});

describe('a stranger', () => {
  it('gets no token for the workspace, and words that say why', async () => {
    const eve = createPerson(stack, { username: 'eve', password: PASSWORD });
    await eve.api.request('GET', '/v1/me');
    const result = await eve.getToken(story.workspaceId, '--listen-address', '127.0.0.1:0');
    expect(result.exitCode).not.toBe(0);
    expect(result.output).toMatch(/not a member/);
  });

  it('finds nothing of it over the API', async () => {
    const eve = createPerson(stack, { username: 'eve', password: PASSWORD });
    const { status } = await eve.api.attempt('GET', `/v1/workspaces/${story.workspaceId}`);
    expect(status).toBe(404);
  });
});

describe('an administrator of the workspace', () => {
  it('can’t take away what the platform manages, and can read everything', async () => {
    const refused = await story.adminKubectl.run('delete', 'rolebinding', '--all', '-n', 'shop');
    expect(refused.exitCode).not.toBe(0);
    expect(refused.output).toMatch(/is managed by Hexabase/);
    const allowed = await story.memberKubectl.run('get', 'configmaps', '-n', 'shop');
    expect(allowed.exitCode, allowed.output).toBe(0);
    const reads = await story.adminKubectl.run('get', 'clusterroles,namespaces,nodes');
    expect(reads.exitCode, reads.output).toBe(0);
  });
});

describe('what an administrator binds past the platform', () => {
  it('is in the drift ledger, with their name', async () => {
    const words = 'create rolebinding adas --clusterrole=view --group=hexabase:WSUsers -n shop';
    const made = await story.adminKubectl.run(...words.split(' '));
    expect(made.exitCode, made.output).toBe(0);
    await using cleanup = new AsyncDisposableStack();
    const client = new pg.Client({ connectionString: stack.ownerUrl });
    await client.connect();
    cleanup.defer(() => client.end());
    const found = await poll(
      'an author',
      async () => {
        const { rows } = await client.query<{ actor: object | null }>(
          `SELECT actor FROM drift WHERE kind = 'RoleBinding' AND name = 'adas'`,
        );
        return rows[0]?.actor ?? undefined;
      },
      30_000,
    );
    expect(found).toMatchObject({ name: 'ada', impersonated_by: null });
  });
});

describe('kubectl oidc-login', () => {
  it('gets the same groups by its own calls, and again in a silent refresh', async () => {
    const client = {
      issuerUrl: stack.issuerUrl,
      ca: stack.certificateAuthority,
      clientId: story.workspaceId,
    };
    const tokens = await signInWithCode({ ...client, username: deepMember, password: PASSWORD });
    const renewed = await refresh({ ...client, refreshToken: tokens.refresh_token });
    const expected = closure([...teams, ...chain], deepMember);
    expect(tokens.claims['groups']).toEqual(expected);
    expect(renewed.claims['groups']).toEqual(expected);
    const answer = await whoAmI(renewed.id_token);
    expect(answer.status).toBe(201);
    expect(answer.groups).toEqual([
      ...expected.map((name) => `hexabase:${name}`),
      'system:authenticated',
    ]);
  });
});

describe('a token of another workspace', () => {
  it('is nobody here', async () => {
    const me = (await admin.api.request('GET', '/v1/me')).body as {
      organizations: { id: string }[];
    };
    const path = `/v1/organizations/${me.organizations[0]?.id}/workspaces`;
    const { body } = await admin.api.request('POST', path, { name: 'Other', plan: 'starter' });
    const other = (body as { workspace: { id: string } }).workspace.id;
    const token = lastToken(await admin.getToken(other));
    expect(readClaims(token)['groups']).toEqual(['WSAdmins', 'WorkspaceMembers']);
    expect(await whoAmI(token)).toEqual({ status: 401, groups: undefined });
  });
});

describe('the logs of the whole story', () => {
  it('hold no token, code, secret or cookie', async () => {
    for (const { logFile, name } of stack.services) {
      const log = await readFile(logFile, 'utf8');
      expect(log, name).not.toMatch(/eyJ[A-Za-z0-9_-]{10,}/);
      expect(log, name).not.toContain(PASSWORD);
      expect(log, name).not.toMatch(/[?&](code|refresh_token|user_code)=[A-Za-z0-9_-]{8,}/);
      expect(log, name).not.toMatch(/__Host-[a-z_.-]+=/);
    }
  });
});
