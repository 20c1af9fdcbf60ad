import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { AdapterPayload } from 'oidc-provider';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { formatId } from '#domain/identifiers.ts';
import { keepSessionsEnded } from '../../../issuer/protocol/sessions.ts';
import { poll } from '../../support/poll.ts';
import {
  type Adapters,
  createIdentifier,
  createPayload,
  openStores,
  STORES,
  type Stores,
} from './adapter-stores.ts';
import { createPerson, createWorkspace } from './tenancy-rows.ts';

const MODELS = ['Session', 'Interaction'] as const;

let stores: Stores;

const put = async (model: string, more: Partial<AdapterPayload> = {}) => {
  const payload = createPayload(model, 60, more);
  await stores.adapters(model).upsert(payload.jti, payload, 60);
  return { jti: payload.jti, payload };
};

const readOf = (model: string) => (adapters: Adapters, jti: string) => adapters(model).find(jti);

describe.each(STORES)('two replicas on %s', (kind) => {
  beforeAll(async () => {
    stores = await openStores(kind);
  });
  afterAll(() => stores[Symbol.asyncDispose]());

  it.each(MODELS)('show what either has written: %s', async (model) => {
    const read = readOf(model);
    const { jti, payload } = await put(model);
    expect(await read(stores.replica, jti)).toEqual(payload);
    await stores.replica(model).upsert(jti, { ...payload, state: { round: 2 } }, 60);
    expect(await read(stores.adapters, jti)).toMatchObject({ state: { round: 2 } });
    expect(await read(stores.replica, jti)).toMatchObject({ state: { round: 2 } });
  });

  it.each(MODELS)(
    'never show again what one has destroyed, whoever reads it: %s',
    async (model) => {
      const { adapters, replica } = stores;
      const read = readOf(model);
      for (let round = 0; round < 24; round += 1) {
        const { jti } = await put(model);
        const readings = Array.from({ length: 12 }, (_, index) =>
          read(index % 2 ? adapters : replica, jti),
        );
        await adapters(model).destroy(jti);
        expect(await read(replica, jti)).toBeUndefined();
        await Promise.all(readings);
        expect(await read(replica, jti)).toBeUndefined();
        expect(await read(adapters, jti)).toBeUndefined();
      }
    },
  );

  it.each(MODELS)('agree with what is stored after 64 writes at once: %s', async (model) => {
    const { adapters, replica, truth } = stores;
    const read = readOf(model);
    const { jti, payload } = await put(model);
    const writers = Array.from({ length: 64 }, (_, index) => (index % 2 ? adapters : replica));
    await Promise.all(
      writers.map((writer, index) =>
        writer(model).upsert(jti, { ...payload, state: { index } }, 60),
      ),
    );
    const stored = await read(truth, jti);
    expect(stored).toHaveProperty('state.index');
    expect(await read(adapters, jti)).toEqual(stored);
    expect(await read(replica, jti)).toEqual(stored);
  });

  it('find a session that gets another id by that one and by uid, and by the old one nowhere', async () => {
    const { adapters, replica } = stores;
    const { jti: old, payload } = await put('Session');
    await replica('Session').find(old);
    const jti = createIdentifier();
    // As oidc-provider does it.
    await adapters('Session').destroy(old);
    await adapters('Session').upsert(jti, { ...payload, jti }, 60);
    for (const each of [adapters, replica]) {
      expect(await each('Session').find(old)).toBeUndefined();
      expect(await each('Session').find(jti)).toMatchObject({ jti, uid: payload.uid });
      expect(await each('Session').findByUid(payload.uid ?? '')).toMatchObject({ jti });
    }
  });
});

describe('Redis before PostgreSQL', () => {
  beforeAll(async () => {
    stores = await openStores('PostgreSQL and Redis');
  });
  afterAll(() => stores[Symbol.asyncDispose]());

  const redis = () => {
    const [connection] = stores.connections;
    if (!connection) throw new Error('there is no Redis');
    return connection.client;
  };

  const deleteRow = (jti: string) =>
    stores.database.query('DELETE FROM oidc_artifact WHERE id_hash = $1', [
      createHash('sha256').update(jti).digest(),
    ]);

  it.each(MODELS)('answers for it, and is asked no longer once it is empty: %s', async (model) => {
    const { jti, payload } = await put(model);
    await deleteRow(jti);
    expect(await stores.replica(model).find(jti)).toEqual(payload);
    await redis().flushall();
    expect(await stores.replica(model).find(jti)).toBeUndefined();
  });

  it('keeps what was read, for half a minute and no longer than it lives', async () => {
    const { jti } = await put('Session');
    await redis().flushall();
    await stores.replica('Session').find(jti);
    const [key = ''] = await redis().keys('hexabase:Session:*');
    expect(await redis().pttl(key)).toBeGreaterThan(0);
    expect(await redis().pttl(key)).toBeLessThanOrEqual(30_000);
  });

  it('has a workspace’s client for a moment', async () => {
    const workspace = await createWorkspace(stores.database, 'Shop');
    const find = () => stores.replica('Client').find(workspace.clientId);
    const before = await find();
    await stores.database.query("UPDATE workspace SET name = 'Store' WHERE id = $1", [
      workspace.id,
    ]);
    expect(await find()).toEqual(before);
    const [key = ''] = await redis().keys('hexabase:Client:*');
    expect(await redis().pttl(key)).toBeLessThanOrEqual(15_000);
    await redis().flushall();
    expect(await find()).toMatchObject({ client_name: 'Store' });
  });

  it('has no code, no token and no grant, and nothing that goes with a grant', async () => {
    const { adapters, database } = stores;
    await redis().flushall();
    const accountId = formatId('person', await createPerson(database));
    const grantId = createIdentifier();
    await adapters('Grant').upsert(grantId, { jti: grantId, accountId, clientId: 'c' }, 60);
    const models = ['AuthorizationCode', 'RefreshToken', 'AccessToken', 'DeviceCode'];
    for (const model of [...models, ...MODELS]) {
      const { jti } = await put(model, { grantId, accountId });
      await stores.replica(model).find(jti);
    }
    const values = await Promise.all(
      (await redis().keys('*')).map(async (key) => [key, await redis().getBuffer(key)] as const),
    );
    expect(values.map(([key]) => key.split(':')[1]).sort()).toEqual(['Interaction', 'Session']);
    // Only the sign that there was a write.
    for (const [, value] of values) expect(value).toHaveLength(13);
  });

  it('holds no identifier and no payload in the clear', async () => {
    const nonce = createIdentifier();
    const { jti, payload } = await put('Session', { state: { nonce } });
    const keys = await redis().keys('*');
    const dump = Buffer.concat([
      Buffer.from(keys.join('\n')),
      ...(await Promise.all(keys.map((key) => redis().getBuffer(key)))).map(
        (value) => value ?? Buffer.alloc(0),
      ),
    ]).toString('latin1');
    for (const secret of [jti, nonce, payload.uid ?? '']) expect(dump).not.toContain(secret);
    expect(dump).not.toContain('"kind"');
  });

  it('is not believed when it shows what was not put there, or under another key', async () => {
    const [a, b] = [await put('Session'), await put('Session')];
    const nameOf = (jti: string) =>
      `hexabase:Session:${createHash('sha256').update(jti).digest('base64url')}`;
    const value = await redis().getBuffer(nameOf(b.jti));
    await redis().set(nameOf(a.jti), value ?? '');
    expect(await stores.replica('Session').find(a.jti)).toEqual(a.payload);
    await redis().set(nameOf(a.jti), JSON.stringify({ ...a.payload, accountId: 'x' }));
    expect(await stores.replica('Session').find(a.jti)).toEqual(a.payload);
  });

  it('is not believed when somebody puts back what was there more than half a minute ago', async () => {
    const { jti } = await put('Session');
    const name = `hexabase:Session:${createHash('sha256').update(jti).digest('base64url')}`;
    const before = await redis().getBuffer(name);
    await stores.adapters('Session').destroy(jti);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 31_000 });
    try {
      await redis().set(name, before ?? '');
      expect(await stores.replica('Session').find(jti)).toBeUndefined();
    } finally {
      vi.useRealTimers();
    }
  });

  it('has nothing of a session that a request under way stores while it ends', async () => {
    const { adapters, replica, connections } = stores;
    expect(connections).not.toHaveLength(0);
    const { jti, payload } = await put('Session');
    class EndingSession {
      readonly uid = payload.uid;
      async destroy(): Promise<void> {
        await adapters('Session').destroy(jti);
        await replica('Session')
          .upsert(jti, payload, 60)
          .catch(() => undefined);
      }
    }
    const pool = await stores.database.connectAs('hexabase_issuer');
    keepSessionsEnded({ Session: EndingSession } as never, pool);
    await new EndingSession().destroy();
    for (const each of [adapters, replica]) {
      expect(await each('Session').find(jti)).toBeUndefined();
    }
  });

  it('that was away during a removal is told of it when it is back', async () => {
    const { jti } = await put('Session');
    const client = redis();
    client.disconnect();
    await once(client, 'end');
    await stores.adapters('Session').destroy(jti);
    expect(await stores.adapters('Session').find(jti)).toBeUndefined();
    await client.connect();
    await poll(
      'the removal in Redis',
      async () => {
        expect(await stores.adapters('Session').find(jti)).toBeUndefined();
        return (await stores.replica('Session').find(jti)) === undefined;
      },
      10_000,
    );
  });

  it('that is back is told of each removal once, however many read at once', async () => {
    const put64 = await Promise.all(Array.from({ length: 64 }, () => put('Session')));
    const client = redis();
    client.disconnect();
    await once(client, 'end');
    for (const { jti } of put64) await stores.adapters('Session').destroy(jti);
    await client.connect();
    await client.config('RESETSTAT');
    const readAll = () =>
      Promise.all(
        Array.from({ length: 32 }, () => stores.adapters('Session').find(createIdentifier())),
      );
    const told = async () => {
      await readAll();
      const stats = await client.info('commandstats');
      return Number(/cmdstat_set:calls=(\d+)/.exec(stats)?.[1] ?? 0);
    };
    await poll('the removals in Redis', async () => (await told()) >= 64);
    expect(await told()).toBe(64);
    const shown = put64.map(({ jti }) => stores.replica('Session').find(jti));
    expect((await Promise.all(shown)).filter((each) => each !== undefined)).toEqual([]);
  });
});
