import type { DatabasePool } from 'slonik';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatId } from '#domain/identifiers.ts';
import type { UpstreamIdentity } from '../../../issuer/connectors/connector.ts';
import { signUp } from '../../../issuer/people/sign-up.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startTestIssuer, TEST_PASSWORD } from '../../support/issuer.ts';
import { signInWithCode } from '../../support/oidc-client.ts';
import { createPerson } from './tenancy-rows.ts';

let database: TestDatabase;
let pool: DatabasePool;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = await database.connectAs('hexabase_issuer');
});
afterAll(() => database[Symbol.asyncDispose]());

const identity = (subject: string, change: Partial<UpstreamIdentity> = {}): UpstreamIdentity => ({
  connector: 'local',
  subject,
  displayName: `Ms ${subject}`,
  email: `${subject}@example.test`,
  emailVerified: false,
  ...change,
});
const CONTEXT = { requestId: 'request-1', ip: '127.0.0.1' };

const worldOf = async (subject: string) => ({
  people: await database.query(
    'SELECT p.id, p.display_name, p.email FROM identity i JOIN person p ON p.id = i.person_id WHERE i.subject = $1',
    [subject],
  ),
  organizations: await database.query(
    `SELECT o.id, o.name, o.slug, u.role FROM identity i
     JOIN organization o ON o.personal_for = i.person_id
     JOIN organization_user u ON u.organization_id = o.id AND u.person_id = i.person_id
     WHERE i.subject = $1`,
    [subject],
  ),
  audit: await database.query(
    `SELECT e.action, e.actor_id, host(e.ip) AS ip, e.after FROM identity i
     JOIN organization o ON o.personal_for = i.person_id
     JOIN audit_event e ON e.organization_id = o.id WHERE i.subject = $1`,
    [subject],
  ),
});

describe('signing up', () => {
  it('through the page makes the person and their private organization, once', async () => {
    await using issuer = await startTestIssuer(database, [{ username: 'zoë', name: 'Zoë Å' }]);
    const options = {
      issuerUrl: issuer.issuerUrl,
      ca: issuer.ca,
      clientId: 'hexabase-cli',
      username: 'zoë',
      password: TEST_PASSWORD,
    };
    const first = await signInWithCode(options);
    const second = await signInWithCode(options);
    expect(second.claims['sub']).toBe(first.claims['sub']);
    const { people, organizations, audit } = await worldOf('zoë');
    expect(people).toHaveLength(1);
    expect(first.claims['sub']).toBe(formatId('person', people[0]?.['id']));
    expect(organizations).toMatchObject([{ name: 'Zoë Å', role: 'owner' }]);
    expect(organizations[0]?.['slug']).toMatch(/^zoe-a-[0-9a-z]{8}$/);
    expect(audit).toMatchObject([
      { action: 'organization.create', actor_id: people[0]?.['id'], ip: '127.0.0.1' },
    ]);
  });

  it('64 times at once is still once', async () => {
    const results = await Promise.all(
      Array.from({ length: 64 }, () => signUp(pool, identity('many'), CONTEXT)),
    );
    expect(new Set(results.map(({ personId }) => personId)).size).toBe(1);
    const { people, organizations, audit } = await worldOf('many');
    expect([people, organizations, audit].map((rows) => rows.length)).toEqual([1, 1, 1]);
  });

  it('meets an import of the same identity in one person', async () => {
    const imports = ['x1', 'x2', 'x3'].map((subject) =>
      Promise.all([
        signUp(pool, identity(subject), CONTEXT),
        database.query('SELECT * FROM provision_people($1, $2::text[], $3::uuid[])', [
          'local',
          [subject],
          ['01940000-0000-7000-8000-0000000001'.concat(subject.replace('x', '0'))],
        ]),
      ]),
    );
    for (const [{ personId }, [row]] of await Promise.all(imports)) {
      expect(row?.['person_id']).toBe(personId);
    }
  });

  it('gives someone whom an import has added their organization and name', async () => {
    const personId = await createPerson(database, 'imported');
    expect(await signUp(pool, identity('imported'), CONTEXT)).toEqual({
      personId,
      suspended: false,
    });
    const { people, organizations } = await worldOf('imported');
    expect(people).toMatchObject([{ display_name: 'Ms imported', email: 'imported@example.test' }]);
    expect(organizations).toHaveLength(1);
  });

  it('brings name and e-mail up to date', async () => {
    await signUp(pool, identity('eve'), CONTEXT);
    await signUp(pool, identity('eve', { displayName: 'Eve II', email: undefined }), CONTEXT);
    expect((await worldOf('eve')).people).toMatchObject([{ display_name: 'Eve II', email: null }]);
  });

  it.each([
    ['fe80::1%eth0', 'fe80::1'],
    ['', null],
  ])('notes the address %j as %j', async (ip, noted) => {
    await signUp(pool, identity(`from ${ip}`), { ...CONTEXT, ip });
    expect((await worldOf(`from ${ip}`)).audit).toMatchObject([{ ip: noted }]);
  });

  it('never links accounts by e-mail', async () => {
    const email = 'same@example.test';
    const one = await signUp(pool, identity('one', { email, emailVerified: true }), CONTEXT);
    const two = await signUp(pool, identity('two', { email, emailVerified: true }), CONTEXT);
    const elsewhere = await signUp(pool, identity('one', { connector: 'other', email }), CONTEXT);
    expect(new Set([one.personId, two.personId, elsewhere.personId]).size).toBe(3);
  });

  it('changes nothing for someone who is suspended', async () => {
    const personId = await createPerson(database, 'gone');
    await database.query('UPDATE person SET suspended_at = now() WHERE id = $1', [personId]);
    expect(await signUp(pool, identity('gone'), CONTEXT)).toEqual({ personId, suspended: true });
    const { people, organizations } = await worldOf('gone');
    expect(people).toMatchObject([{ display_name: 'gone', email: null }]);
    expect(organizations).toEqual([]);
  });
});
