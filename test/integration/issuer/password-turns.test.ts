/** Passwords are hashed a few at a time: whoever comes on top is told to wait, and loses no try. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RULES } from '../../../issuer/limits/rules.ts';
import { createTurns } from '../../../issuer/limits/turns.ts';
import { createPageVisitor } from '../../../quickstart/page-visitor.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startTestIssuer, TEST_PASSWORD, type TestIssuer } from '../../support/issuer.ts';

const turns = createTurns({ atOnce: 1, waiting: 0 });

let database: TestDatabase;
let issuer: TestIssuer;

beforeAll(async () => {
  database = await createTestDatabase();
  issuer = await startTestIssuer(database, [{ username: 'alice' }], {
    passwordTurns: turns,
    rules: RULES,
  });
});
afterAll(async () => {
  await issuer[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

describe('a password that comes while too many are looked at', () => {
  it('is answered 503 with Retry-After, is no wrong one, and counts later', async () => {
    await using visitor = createPageVisitor(issuer.ca);
    const page = await visitor.open(`${issuer.issuerUrl}/account/sessions`);
    const signIn = (username: string) =>
      visitor.submit(page, {
        having: 'password',
        fields: { username, password: TEST_PASSWORD },
      });
    const gate = Promise.withResolvers<void>();
    const busy = turns(() => gate.promise);
    // More often than a wrong one may be tried.
    for (let attempt = 0; attempt <= RULES.password_burst.points; attempt += 1) {
      const answer = await signIn(attempt % 2 === 0 ? 'alice' : 'nobody');
      expect([answer.status, Number(answer.headers.get('retry-after'))]).toEqual([503, 5]);
    }
    for (let attempt = 0; attempt < RULES.password_burst.points; attempt += 1) {
      expect((await signIn('alice')).status).toBe(503);
    }
    gate.resolve();
    await busy;
    expect((await signIn('alice')).url.pathname).toBe('/account/sessions');
  });
});
