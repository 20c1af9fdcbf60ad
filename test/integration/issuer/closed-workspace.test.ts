/** Workspaces that are suspended or being deleted: nobody gets in, by any way, and they are told why. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createPageVisitor } from '../../../quickstart/page-visitor.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startTestIssuer, TEST_PASSWORD, type TestIssuer } from '../../support/issuer.ts';
import {
  approveDevice,
  createOidcClient,
  redeemDevice,
  refresh,
  SignInRefusedError,
  signInWithCode,
  startDevice,
} from '../../support/oidc-client.ts';
import { createPerson, createWorkspace, type TestWorkspace } from './tenancy-rows.ts';

let database: TestDatabase;
let issuer: TestIssuer;
let alice: string;
let workspace: TestWorkspace;

beforeAll(async () => {
  database = await createTestDatabase();
  issuer = await startTestIssuer(database, [{ username: 'alice' }, { username: 'bob' }]);
  alice = await createPerson(database, 'alice');
});
beforeEach(async () => {
  workspace = await createWorkspace(database);
  await workspace.addMember(alice);
});
afterAll(async () => {
  await issuer[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const as = (username: string) => ({
  issuerUrl: issuer.issuerUrl,
  ca: issuer.ca,
  clientId: workspace.clientId,
  username,
  password: TEST_PASSWORD,
});
const refusal = async (attempt: Promise<unknown>): Promise<SignInRefusedError> => {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof SignInRefusedError)) throw new Error('not refused', { cause: error });
  return error;
};
const setWorkspace = (assignment: string) =>
  database.query(`UPDATE workspace SET ${assignment} WHERE id = $1`, [workspace.id]);
const setOrganization = (assignment: string) =>
  database.query(
    `UPDATE organization SET ${assignment}
     WHERE id = (SELECT organization_id FROM workspace WHERE id = $1)`,
    [workspace.id],
  );

describe.each([
  ['suspended', 'suspended', () => setWorkspace('suspended_at = now()')],
  ['being deleted', 'deleted', () => setWorkspace(`delete_after = now() + interval '1 day'`)],
  [
    'of an organization that is being deleted',
    'deleted',
    () => setOrganization(`delete_after = now() + interval '1 day'`),
  ],
])('a workspace that is %s', (_name, word, close) => {
  const open = async () => {
    await setWorkspace('suspended_at = NULL, delete_after = NULL');
    await setOrganization('delete_after = NULL');
  };

  it('ends the refreshes of its members, who go on when it is open again', async () => {
    const { refresh_token } = await signInWithCode(as('alice'));
    await close();
    await expect(refresh({ ...as('alice'), refreshToken: refresh_token })).rejects.toMatchObject({
      error: 'invalid_grant',
      error_description: expect.stringContaining(word),
    });
    await open();
    const renewed = await refresh({ ...as('alice'), refreshToken: refresh_token });
    expect(renewed.claims['workspace']).toBe(workspace.clientId);
  });

  it('lets nobody sign in, and says why', async () => {
    await close();
    const refused = await refusal(signInWithCode(as('alice')));
    expect(refused.page.status).toBe(403);
    expect(refused.page.text).toMatch(new RegExp(`This workspace is .*${word}`));
    // Who is no member learns no more than before.
    const stranger = await refusal(signInWithCode(as('bob')));
    expect(stranger.page.text).toContain('You are not a member of this workspace');
  });

  it('gives a device nothing', async () => {
    await close();
    await using client = await createOidcClient(as('alice'));
    await using visitor = createPageVisitor(issuer.ca);
    const device = await startDevice(client);
    const end = await approveDevice(visitor, device, as('alice'));
    expect(end.status).toBe(403);
    await expect(redeemDevice(client, device)).rejects.toMatchObject({
      error: 'authorization_pending',
    });
  });

  it('leaves its members their other workspaces and the platform', async () => {
    const other = await createWorkspace(database);
    await other.addMember(alice);
    await close();
    const elsewhere = { ...as('alice'), clientId: other.clientId };
    expect((await signInWithCode(elsewhere)).claims['workspace']).toBe(other.clientId);
  });
});
