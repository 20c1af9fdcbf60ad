import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import {
  type Behaviour,
  type HostileProvider,
  startHostileProvider,
} from '../../support/hostile-provider.ts';
import { refresh, type Tokens } from '../../support/oidc-client.ts';
import { expectNoneLogged } from '../../support/refusals.ts';
import {
  oidcConnector,
  startUpstreamIssuer,
  type UpstreamConnector,
  type UpstreamIssuer,
  type UpstreamSignInOptions,
} from '../../support/upstream.ts';
import { createPerson, createWorkspace, type TestWorkspace } from './tenancy-rows.ts';
import { letTimePass, mapGroup, memberOf, membershipsOf } from './upstream-rows.ts';

let database: TestDatabase;
let provider: HostileProvider;
let issuer: UpstreamIssuer;
let replica: UpstreamIssuer;
let workspace: TestWorkspace;
let oncall: string;
let subject: string;
let strict: UpstreamConnector;
const options = { encryptionKey: randomBytes(32) };

beforeAll(async () => {
  database = await createTestDatabase();
  provider = await startHostileProvider();
  strict = oidcConnector(provider, { refresh: true, allowed_email_domains: ['example.test'] });
  const connectors = { corp: oidcConnector(provider, { groups_claim: 'groups' }), strict };
  issuer = await startUpstreamIssuer(database, connectors, options);
  replica = await startUpstreamIssuer(database, connectors, options);
});
afterAll(async () => {
  expectNoneLogged([...issuer.logLines, ...replica.logLines], provider.secrets);
  for (const each of [issuer, replica, provider, database]) await each[Symbol.asyncDispose]();
});
beforeEach(async () => {
  subject = `sub-${randomUUID()}`;
  provider.behave({});
  says({});
  workspace = await createWorkspace(database);
  oncall = await workspace.addGroup('oncall');
  await mapGroup(database, workspace, { group: oncall, upstream: 'acme/oncall' });
});

/** What the provider says of the person from now on. */
const says = (claims: object): void =>
  provider.setPerson({
    sub: subject,
    name: 'Ann',
    email: 'ann@example.test',
    email_verified: true,
    groups: ['acme/oncall'],
    ...claims,
  });

const signIn = (connector = 'corp', more: UpstreamSignInOptions = {}) =>
  issuer.signIn(connector, { clientId: workspace.clientId, ...more });

const renew = ({ refresh_token }: Tokens, at: UpstreamIssuer = issuer) =>
  refresh({ ...at, clientId: workspace.clientId, refreshToken: refresh_token });

/** The person is in the workspace and in a group of it because somebody put them there. */
const isAddedBySomebody = async () => {
  const direct = await workspace.addGroup('direct');
  const [row] = await database.query<{ person_id: string }>(
    'SELECT person_id FROM identity WHERE subject = $1',
    [subject],
  );
  await workspace.addMember(row?.person_id ?? '', direct);
};

const account = async () => {
  const [row] = await database.query<{
    groups: string[];
    sealed_credential: Buffer | null;
    look_in: number | null;
  }>(
    `SELECT groups, sealed_credential, extract(epoch FROM look_at - now())::int AS look_in
     FROM upstream_account WHERE subject = $1`,
    [subject],
  );
  return row;
};

const tokenRequests = () => provider.requests.filter((endpoint) => endpoint === 'token').length;

describe('a provider that has taken someone back', () => {
  it('ends all their sign-ins, in programs and browsers, whoever else has given them what', async () => {
    await using visitor = issuer.createVisitor();
    const tokens = await signIn('corp', { visitor });
    const other = await signIn();
    await isAddedBySomebody();
    provider.forgetEveryone();
    await letTimePass(database, subject);

    const refusal = {
      error: 'invalid_grant',
      error_description: expect.stringMatching(/sign in again/),
    };
    await expect(renew(tokens)).rejects.toMatchObject(refusal);
    await expect(renew(tokens)).rejects.toMatchObject({ error: 'invalid_grant' });
    await expect(renew(other)).rejects.toMatchObject({ error: 'invalid_grant' });
    expect(await membershipsOf(database, workspace, subject)).toEqual(['direct']);
    expect(await account()).toEqual({ groups: [], sealed_credential: null, look_in: null });

    const asked = provider.requests.length;
    const again = await signIn('corp', { visitor });
    expect(provider.requests.slice(asked)).toContain('authorize');
    expect(again.claims['groups']).toEqual(['direct', 'oncall']);
    expect((await renew(again)).claims['groups']).toEqual(['direct', 'oncall']);
  });

  it('has done so when its answer is about somebody else', async () => {
    const tokens = await signIn();
    provider.behave({ claims: (claims) => ({ ...claims, sub: 'somebody-else' }) });
    await letTimePass(database, subject);
    await expect(renew(tokens)).rejects.toMatchObject({ error: 'invalid_grant' });
    expect(await memberOf(database, workspace, subject)).toBeUndefined();
  });

  it('has done so when no replica has had the connector for an hour', async () => {
    const tokens = await signIn();
    await database.query(
      `UPDATE connector SET published_at = now() - interval '61 minutes' WHERE id = 'corp'`,
    );
    await using without = await startUpstreamIssuer(database, { strict }, options);
    expect(await database.query('SELECT id FROM connector ORDER BY id')).toEqual([
      { id: 'local' },
      { id: 'strict' },
    ]);
    await letTimePass(database, subject);
    await expect(renew(tokens, without)).rejects.toMatchObject({ error: 'invalid_grant' });
    expect(await memberOf(database, workspace, subject)).toBeUndefined();
  });
});

describe('a replica that doesn’t have a connector which others have', () => {
  it('ends nobody’s sign-in, and leaves the connector to those that have it', async () => {
    await using newer = await startUpstreamIssuer(
      database,
      { corp: oidcConnector(provider, { groups_claim: 'groups' }), strict },
      options,
    );
    const tokens = await newer.signIn('corp', { clientId: workspace.clientId });
    await using older = await startUpstreamIssuer(database, { strict }, options);
    await letTimePass(database, subject);
    const renewed = await renew(tokens, older);
    expect(renewed.claims['groups']).toEqual(['oncall']);
    await letTimePass(database, subject);
    says({ name: 'Ann Lee' });
    expect((await renew(renewed, newer)).claims['name']).toBe('Ann Lee');
  });
});

describe('the rules of a connector', () => {
  it('hold when its provider is asked again as they did at the sign-in', async () => {
    const tokens = await issuer.signIn('strict');
    const cli = { ...issuer, clientId: 'hexabase-cli' };
    await letTimePass(database, subject);
    const renewed = await refresh({ ...cli, refreshToken: tokens.refresh_token });

    says({ email: 'ann@example.test.evil.test' });
    await letTimePass(database, subject);
    const refused = refresh({ ...cli, refreshToken: renewed.refresh_token });
    await expect(refused).rejects.toMatchObject({ error: 'invalid_grant' });
    expect(issuer.logLines.join()).toContain('not admitted: email_domain');
  });
});

describe('what a provider says when it is asked again', () => {
  it('is the person’s name and address from then on', async () => {
    const tokens = await signIn();
    says({ name: 'Ann Lee', email: 'lee@example.test' });
    await letTimePass(database, subject);
    expect((await renew(tokens)).claims).toMatchObject({
      name: 'Ann Lee',
      email: 'lee@example.test',
    });
  });

  it('changes neither for someone who has signed up in another way', async () => {
    const tokens = await signIn();
    await database.query(
      `INSERT INTO identity (connector, subject, person_id, created_at)
       SELECT 'local', subject, person_id, created_at - interval '1 day' FROM identity
       WHERE subject = $1`,
      [subject],
    );
    says({ name: 'Ann Lee', email: 'lee@example.test', groups: ['acme'] });
    await letTimePass(database, subject);
    await isAddedBySomebody();
    expect((await renew(tokens)).claims).toMatchObject({
      name: 'Ann',
      email: 'ann@example.test',
      groups: ['direct'],
    });
  });

  it('is asked once, by however many at once, on whatever replica', async () => {
    const sessions = await Promise.all(Array.from({ length: 8 }, () => signIn()));
    await letTimePass(database, subject);
    says({ groups: ['acme/other'] });
    await isAddedBySomebody();
    const asked = tokenRequests();
    const renewed = await Promise.all(
      sessions.map((tokens, index) => renew(tokens, index % 2 === 0 ? issuer : replica)),
    );
    expect(tokenRequests() - asked).toBe(1);
    for (const { claims } of renewed) expect(claims['groups']).toEqual(['direct']);
  });

  it('lets one be asked again with what the provider gave last, sealed for this person alone', async () => {
    const first = await signIn();
    const before = await account();
    await letTimePass(database, subject);
    const second = await renew(first);
    await letTimePass(database, subject);
    await renew(second);
    const after = await account();
    expect(after?.sealed_credential).not.toEqual(before?.sealed_credential);
    for (const secret of provider.secrets) {
      expect(after?.sealed_credential?.includes(secret)).toBe(false);
    }
  });
});

describe('an answer that comes after a newer sign-in', () => {
  /** A token is asked for; the provider's answer is held back while the person signs in anew. */
  const signInMeanwhile = async (
    late: Behaviour,
    now: { readonly groups: readonly string[] },
  ): Promise<Tokens> => {
    const tokens = await signIn();
    await isAddedBySomebody();
    const [asked, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    provider.behave({
      ...late,
      idToken: async (token) => {
        asked.resolve();
        await released.promise;
        return token;
      },
    });
    await letTimePass(database, subject);
    const renewal = renew(tokens).catch(() => undefined);
    await asked.promise;
    provider.behave({});
    says(now);
    const newer = await signIn();
    released.resolve();
    await renewal;
    return newer;
  };

  it('gives back no group that is gone since', async () => {
    await signInMeanwhile({}, { groups: ['acme'] });
    expect(await account()).toMatchObject({ groups: ['acme'] });
    expect(await membershipsOf(database, workspace, subject)).toEqual(['direct']);
  });

  it('doesn’t end it', async () => {
    const somebodyElse: Behaviour = { claims: (claims) => ({ ...claims, sub: 'somebody-else' }) };
    const newer = await signInMeanwhile(somebodyElse, { groups: ['acme/oncall'] });
    expect((await renew(newer)).claims['groups']).toEqual(['direct', 'oncall']);
  });
});

describe('an answer about an account that has become somebody else’s meanwhile', () => {
  /** As the one unlinks it and the other signs up with it. */
  const giveAway = async (): Promise<string> => {
    const other = await createPerson(database);
    await database.query('DELETE FROM group_member WHERE mapping_id IS NOT NULL');
    await database.query('DELETE FROM identity WHERE subject = $1', [subject]);
    await database.query(
      `INSERT INTO identity (connector, subject, person_id) VALUES ('corp', $1, $2)`,
      [subject, other],
    );
    await database.query(
      `INSERT INTO upstream_account (connector, subject, person_id, groups, look_at)
       VALUES ('corp', $1, $2, '{acme/other}', now() + interval '5 minutes')`,
      [subject, other],
    );
    return other;
  };

  it.each([
    ['that they are still there', {}],
    ['that they are gone', { sub: 'somebody-else' }],
  ])('gives nothing to the one and takes nothing from the other: %s', async (_name, claims) => {
    const tokens = await signIn();
    await isAddedBySomebody();
    await letTimePass(database, subject);
    let other = '';
    says({ name: 'Ann Lee' });
    provider.behave({
      claims: (right) => ({ ...right, ...claims }),
      idToken: async (token) => {
        other = await giveAway();
        return token;
      },
    });
    const renewed = await renew(tokens);
    expect(renewed.claims).toMatchObject({ groups: ['direct'], name: 'Ann' });
    expect(
      await database.query('SELECT person_id, groups FROM upstream_account WHERE subject = $1', [
        subject,
      ]),
    ).toEqual([{ person_id: other, groups: ['acme/other'] }]);
  });
});

describe('a provider that can’t be asked', () => {
  it.each(['status 503', 'reset', 'rubbish', 'html', 'redirect'] as const)(
    'takes nothing away for an hour: %s',
    async (misanswer) => {
      const tokens = await signIn();
      provider.behave({ misanswers: { token: misanswer } });
      await letTimePass(database, subject, 59);
      expect((await renew(tokens)).claims['groups']).toEqual(['oncall']);
      const { look_in } = (await account()) ?? {};
      expect(look_in).toBeGreaterThan(20);
      expect(look_in).toBeLessThanOrEqual(30);
    },
  );

  it('takes mapped groups away after an hour, and gives them back when it can be asked', async () => {
    const tokens = await signIn();
    await isAddedBySomebody();
    provider.behave({ misanswers: { token: 'status 503' } });
    await letTimePass(database, subject, 61);
    const meanwhile = await renew(tokens);
    expect(meanwhile.claims['groups']).toEqual(['direct']);
    expect(await membershipsOf(database, workspace, subject)).toEqual(['direct']);

    provider.behave({});
    await letTimePass(database, subject, 61);
    expect((await renew(meanwhile)).claims['groups']).toEqual(['direct', 'oncall']);
  });

  it('is logged by the codes of what went wrong, with the number of the request', async () => {
    const tokens = await signIn();
    provider.behave({ misanswers: { token: 'reset' } });
    await letTimePass(database, subject);
    const before = issuer.logLines.length;
    await renew(tokens);
    const lines = issuer.logLines.slice(before).filter((line) => line.includes('asked again'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /"request_id":"[\w-]{8,}","reason":"[\w ]*\b(UND_ERR_SOCKET|ECONNRESET)\b/,
    );
  });

  it('is asked again at the hour, however soon after the last try that is', async () => {
    const tokens = await signIn();
    provider.behave({ misanswers: { token: 'status 503' } });
    await database.query(
      `UPDATE upstream_account SET look_at = now() - interval '1 second',
         seen_at = now() - interval '59 minutes 50 seconds'
       WHERE subject = $1`,
      [subject],
    );
    await renew(tokens);
    expect((await account())?.look_in).toBeLessThanOrEqual(10);
  });

  it('costs a token three seconds and no more', async () => {
    const tokens = await signIn();
    provider.behave({ misanswers: { token: 'hang' } });
    await letTimePass(database, subject);
    const start = Date.now();
    const renewed = await renew(tokens);
    expect(renewed.claims['groups']).toEqual(['oncall']);
    expect(Date.now() - start).toBeLessThan(6_000);
    // Nobody waits for it again for a while.
    const next = Date.now();
    await renew(renewed);
    expect(Date.now() - next).toBeLessThan(3_000);
  });
});

describe('groups of a provider that can’t be asked without the person', () => {
  it('count for an hour, and then the person signs in again', async () => {
    provider.behave({ token: ({ refresh_token: _, ...body }) => body });
    await using visitor = issuer.createVisitor();
    const tokens = await signIn('corp', { visitor });
    expect(await account()).toMatchObject({ sealed_credential: null });
    await letTimePass(database, subject, 61);
    await expect(renew(tokens)).rejects.toMatchObject({ error: 'invalid_grant' });
    expect(await memberOf(database, workspace, subject)).toBeUndefined();
    const again = await signIn('corp', { visitor });
    expect(again.claims['groups']).toEqual(['oncall']);
  });

  it('aren’t kept when there are none', async () => {
    provider.behave({ token: ({ refresh_token: _, ...body }) => body });
    says({ groups: [] });
    await issuer.signIn('corp');
    expect(await account()).toBeUndefined();
  });
});
