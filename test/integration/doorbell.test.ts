import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createId } from '#domain/identifiers.ts';
import { createDoorbell, DOORBELL_SUBJECTS, type Doorbell } from '#runtime/doorbell.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { testLog } from '../support/kube.ts';
import { poll } from '../support/poll.ts';

const { workspaceChanged, workspaceObserved } = DOORBELL_SUBJECTS;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

const open = (transport: string, role: 'hexabase_rbac_sync' | 'hexabase_tenancy_api') =>
  createDoorbell({
    databaseUrl: database.urlFor(role),
    natsUrl: transport === 'NATS' ? inject('natsUrl') : undefined,
    log: testLog,
  });
const collect = async (doorbell: Doorbell) => {
  const heard: string[] = [];
  const stop = await doorbell.listen(workspaceChanged, (id) => heard.push(id));
  return { heard, stop };
};

describe.each(['LISTEN/NOTIFY', 'NATS'])('the doorbell over %s', (transport) => {
  it('is heard by everyone who listens, in other services too', async () => {
    await using ringer = await open(transport, 'hexabase_tenancy_api');
    await using first = await open(transport, 'hexabase_rbac_sync');
    await using second = await open(transport, 'hexabase_rbac_sync');
    const [one, two] = [await collect(first), await collect(second)];
    const id = createId();
    await ringer.ring(workspaceChanged, id);
    await poll('both', async () => one.heard.includes(id) && two.heard.includes(id));
  });

  it('keeps one subject from another', async () => {
    await using doorbell = await open(transport, 'hexabase_rbac_sync');
    const { heard } = await collect(doorbell);
    const [other, own] = [createId(), createId()];
    await doorbell.ring(workspaceObserved, other);
    await doorbell.ring(workspaceChanged, own);
    await poll('the ring', async () => heard.includes(own));
    expect(heard).not.toContain(other);
  });

  it('is no longer heard by who stopped listening', async () => {
    await using doorbell = await open(transport, 'hexabase_rbac_sync');
    const { heard, stop } = await collect(doorbell);
    const still = await collect(doorbell);
    stop();
    const id = createId();
    await doorbell.ring(workspaceChanged, id);
    await poll('the other listener', async () => still.heard.includes(id));
    expect(heard).toEqual([]);
  });

  it('does not throw at whoever rings when it can’t be rung', async () => {
    const doorbell = await open(transport, 'hexabase_rbac_sync');
    await doorbell[Symbol.asyncDispose]();
    await expect(doorbell.ring(workspaceChanged, createId())).resolves.toBeUndefined();
  });
});

describe('the doorbell over LISTEN/NOTIFY', () => {
  it('comes back after the server cut its connection', async () => {
    await using doorbell = await open('LISTEN/NOTIFY', 'hexabase_rbac_sync');
    const { heard } = await collect(doorbell);
    const cut = await database.query<{ cut: boolean }>(
      `SELECT pg_terminate_backend(pid) AS cut FROM pg_stat_activity
       WHERE application_name = 'hexabase-doorbell' AND datname = current_database()`,
    );
    expect(cut).toEqual([{ cut: true }]);
    const id = createId();
    await poll('a ring to come through', async () => {
      await doorbell.ring(workspaceChanged, id);
      return heard.includes(id);
    });
  });
});
