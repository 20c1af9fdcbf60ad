import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createId } from '#domain/identifiers.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type HostileProvider, startHostileProvider } from '../../support/hostile-provider.ts';
import { SignInRefusedError } from '../../support/oidc-client.ts';
import { oidcConnector, startUpstreamIssuer, type UpstreamIssuer } from '../../support/upstream.ts';

let database: TestDatabase;
let provider: HostileProvider;
let issuer: UpstreamIssuer;
let subject: string;

beforeAll(async () => {
  database = await createTestDatabase();
  provider = await startHostileProvider();
  issuer = await startUpstreamIssuer(database, {
    company: oidcConnector(provider, {
      allowed_email_domains: ['example.com', 'bücher.example'],
      require_verified_email: false,
    }),
    invited: oidcConnector(provider, { sign_up: 'invited' }),
  });
});
afterAll(async () => {
  for (const each of [issuer, provider, database]) await each[Symbol.asyncDispose]();
});
beforeEach(() => {
  subject = `sub-${randomUUID()}`;
});

const isKnownUpstreamAs = (email: string | undefined, email_verified = true): void =>
  provider.setPerson({ sub: subject, name: 'Ann', ...(email && { email, email_verified }) });

const refusal = async (connector: string, locale = 'en') => {
  const extraParams = { ui_locales: locale };
  const error: unknown = await issuer
    .signIn(connector, { extraParams })
    .catch((reason: unknown) => reason);
  if (!(error instanceof SignInRefusedError)) throw new Error('not refused', { cause: error });
  return error.page;
};

const people = async (): Promise<number> => {
  const [row] = await database.query<{ count: number }>(
    `SELECT ((SELECT count(*) FROM person) + (SELECT count(*) FROM identity)
       + (SELECT count(*) FROM organization))::int AS count`,
  );
  return row?.count ?? 0;
};

describe('allowed e-mail domains', () => {
  it.each(['ann@example.com', 'Ann@EXAMPLE.com', 'ann@xn--bcher-kva.example'])(
    'let in %s',
    async (email) => {
      isKnownUpstreamAs(email);
      expect((await issuer.signIn('company')).claims).toMatchObject({ email });
    },
  );

  it.each([
    ['another domain', 'ann@other.test', true, /certain domains/],
    ['a domain below', 'ann@sub.example.com', true, /certain domains/],
    ['what isn’t an address', 'ann@evil.test@example.com', true, /verified e-mail address/],
    ['an address that isn’t verified', 'ann@example.com', false, /verified e-mail address/],
    ['no address', undefined, true, /verified e-mail address/],
  ])(
    'refuse %s on a page that says what to do, and make nobody',
    async (_name, email, verified, words) => {
      isKnownUpstreamAs(email, verified);
      const before = await people();
      const page = await refusal('company');
      expect(page).toMatchObject({ left: false, status: 403 });
      expect(page.text).toMatch(words);
      expect(page.text).toContain('Sign in as someone else');
      expect(await people()).toBe(before);
      expect(issuer.logLines.filter((line) => line.includes(subject)).join()).toMatch(
        /"refusal":"email_(domain|unverified)".*"msg":"not admitted"/,
      );
    },
  );

  it('hold at every sign-in, not only at the first', async () => {
    isKnownUpstreamAs('ann@example.com');
    await issuer.signIn('company');
    isKnownUpstreamAs('ann@other.test');
    expect((await refusal('company')).status).toBe(403);
    const rows = await database.query(
      'SELECT p.email FROM identity i JOIN person p ON p.id = i.person_id WHERE i.subject = $1',
      [subject],
    );
    expect(rows).toEqual([{ email: 'ann@example.com' }]);
  });

  it('are explained in Japanese as well', async () => {
    isKnownUpstreamAs('ann@other.test');
    expect((await refusal('company', 'ja')).text).toContain('許可されたドメイン');
  });
});

describe('a connector for those who were invited', () => {
  it('refuses everyone else, and makes nobody', async () => {
    isKnownUpstreamAs('ann@example.com');
    const before = await people();
    const page = await refusal('invited');
    expect(page.status).toBe(403);
    expect(page.text).toContain('Ask an administrator of a workspace to add you');
    expect(await people()).toBe(before);
  });

  it('lets in whom an import or a workspace has added, by the same connector only', async () => {
    const id = createId();
    await database.query('INSERT INTO person (id, display_name) VALUES ($1, $2)', [id, subject]);
    const add = (connector: string) =>
      database.query('INSERT INTO identity (connector, subject, person_id) VALUES ($1, $2, $3)', [
        connector,
        subject,
        id,
      ]);
    isKnownUpstreamAs('ann@example.com');
    await add('company');
    expect((await refusal('invited')).status).toBe(403);
    await add('invited');
    const first = await issuer.signIn('invited');
    expect((await issuer.signIn('invited')).claims['sub']).toBe(first.claims['sub']);
  });
});
