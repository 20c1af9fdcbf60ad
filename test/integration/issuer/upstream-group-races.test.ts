import { randomBytes, randomUUID } from 'node:crypto';
import type { DatabasePool } from 'slonik';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createEncryption } from '#runtime/encryption.ts';
import { rememberSignIn } from '../../../issuer/people/upstream/remember.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { poll } from '../../support/poll.ts';
import { createPerson, createWorkspace, type TestWorkspace } from './tenancy-rows.ts';
import { mapGroup, memberOf, membershipsOf } from './upstream-rows.ts';

let database: TestDatabase;
let pool: DatabasePool;
let workspace: TestWorkspace;
let subject: string;
let personId: string;
let groups: { readonly platform: string; readonly oncall: string };

const deps = {
  encryption: createEncryption(randomBytes(32)),
  ages: { refreshSeconds: 300, maxAgeSeconds: 3_600 },
};

beforeAll(async () => {
  database = await createTestDatabase();
  pool = await database.connectAs('hexabase_issuer');
});
afterAll(() => database[Symbol.asyncDispose]());
beforeEach(async () => {
  subject = randomUUID();
  personId = await createPerson(database, subject);
  for (const connector of ['corp', 'github']) {
    await database.query(
      'INSERT INTO identity (connector, subject, person_id) VALUES ($1, $2, $3)',
      [connector, `${subject}@${connector}`, personId],
    );
  }
  workspace = await createWorkspace(database);
  groups = {
    platform: await workspace.addGroup('platform'),
    oncall: await workspace.addGroup('oncall'),
  };
});

type Said = { readonly connector: 'corp' | 'github'; readonly groups: readonly string[] };

/** A provider has said in which groups the person is; `beforeCommit` runs when that is written. */
const hear = (said: Said, beforeCommit?: () => Promise<unknown>): Promise<unknown> =>
  pool.transaction(async (transaction) => {
    await rememberSignIn(transaction, deps, {
      person: { connector: said.connector, subject: `${subject}@${said.connector}`, personId },
      signIn: { groups: said.groups, credential: undefined },
      context: { requestId: 'test', ip: '192.0.2.1' },
    });
    return beforeCommit?.();
  });

/** Starts something and lets it come to its end, or to where it waits for somebody else's lock. */
const startMeanwhile = async (
  start: () => Promise<unknown>,
): Promise<{ readonly ended: Promise<unknown> }> => {
  const ended = start();
  const waits = poll('somebody who waits', async () => {
    const rows = await database.query(
      `SELECT FROM pg_stat_activity
       WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return rows.length > 0;
  }).catch(() => undefined);
  await Promise.race([ended, waits]);
  return { ended };
};

/** Does one thing while another has been written and not been committed yet. */
const during = async (said: Said, other: () => Promise<unknown>): Promise<void> => {
  let started: { readonly ended: Promise<unknown> } | undefined;
  await hear(said, async () => {
    started = await startMeanwhile(other);
  });
  await started?.ended;
};

describe('a right that a provider takes', () => {
  it('isn’t given again by what another one says of the person at the same moment', async () => {
    await mapGroup(database, workspace, { group: groups.platform, upstream: 'acme/platform' });
    const github = { group: groups.oncall, upstream: 'oncall', connector: 'github' };
    await mapGroup(database, workspace, github);
    await hear({ connector: 'corp', groups: ['acme/platform'] });
    await hear({ connector: 'github', groups: ['oncall'] });

    await during({ connector: 'github', groups: [] }, () =>
      hear({ connector: 'corp', groups: ['acme/platform', 'acme'] }),
    );

    expect(await membershipsOf(database, workspace, `${subject}@corp`)).toEqual([
      'platform (mapped)',
    ]);
  });

  it('isn’t given by a mapping that is made at the same moment', async () => {
    const admin = await createPerson(database);
    await workspace.addMember(admin);
    const mapping = await mapGroup(database, workspace, {
      group: groups.platform,
      upstream: 'acme/platform',
    });
    await hear({ connector: 'corp', groups: ['acme/platform'] });
    await database.query('DELETE FROM group_member WHERE mapping_id = $1', [mapping]);

    await during({ connector: 'corp', groups: ['acme'] }, () =>
      database.transaction([
        [`SELECT set_config('hexabase.person_id', $1, true)`, admin],
        ['SELECT apply_group_mapping($1)', mapping],
      ]),
    );

    expect(await membershipsOf(database, workspace, `${subject}@corp`)).toEqual([]);
    expect(await memberOf(database, workspace, `${subject}@corp`)).toBeUndefined();
  });

  it('takes the workspace along, also when the last other mapping goes at the same moment', async () => {
    await mapGroup(database, workspace, { group: groups.platform, upstream: 'acme/platform' });
    const last = await mapGroup(database, workspace, { group: groups.oncall, upstream: 'acme' });
    await hear({ connector: 'corp', groups: ['acme/platform', 'acme'] });
    expect(await memberOf(database, workspace, `${subject}@corp`)).toBe('mapped');

    await during({ connector: 'corp', groups: ['acme'] }, () =>
      database.query('DELETE FROM group_mapping WHERE id = $1', [last]),
    );

    expect(await membershipsOf(database, workspace, `${subject}@corp`)).toEqual([]);
    expect(await memberOf(database, workspace, `${subject}@corp`)).toBeUndefined();
  });
});
