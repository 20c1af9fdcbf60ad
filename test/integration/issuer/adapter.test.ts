import { createHash } from 'node:crypto';
import { type AdapterPayload, errors } from 'oidc-provider';
import type { DatabasePool } from 'slonik';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createId, formatId } from '#domain/identifiers.ts';
import { purgeExpired } from '../../../issuer/storage/purge.ts';
import type { TestDatabase } from '../../support/database.ts';
import {
  type Adapters,
  createIdentifier,
  createPayload,
  openStores,
  STORES,
  type Stores,
} from './adapter-stores.ts';
import { createPerson, createWorkspace } from './tenancy-rows.ts';

let database: TestDatabase;
let pool: DatabasePool;
let adapters: Adapters;
let accountId: string;
let grantId: string;

const MODELS = [
  'Session',
  'Interaction',
  'AuthorizationCode',
  'RefreshToken',
  'AccessToken',
  'DeviceCode',
];
const DIALOGUES = new Set(['Session', 'Interaction']);

const id = createIdentifier;

describe.each(STORES)('the adapter on %s', (kind) => {
  let stores: Stores;
  beforeAll(async () => {
    stores = await openStores(kind);
    ({ database, adapters } = stores);
    pool = await database.connectAs('hexabase_issuer');
    accountId = formatId('person', await createPerson(database));
  });
  afterAll(() => stores[Symbol.asyncDispose]());
  beforeEach(async () => {
    grantId = id();
    await adapters('Grant').upsert(grantId, { jti: grantId, accountId, clientId: 'c' }, 600);
  });

  const put = async (model: string, more: Partial<AdapterPayload> = {}, ttl = 60) => {
    // What isn't issued under a grant may be cached.
    const of = DIALOGUES.has(model) ? {} : { grantId };
    const payload = createPayload(model, ttl, { accountId, ...of, ...more });
    await adapters(model).upsert(payload.jti, payload, ttl);
    return { jti: payload.jti, payload };
  };

  /** Moves all consumptions into the past. */
  const later = (seconds: number) =>
    database.query(
      'UPDATE oidc_artifact SET consumed_at = consumed_at - make_interval(secs => $1)',
      [seconds],
    );

  const countIn = async (table: string): Promise<number> => {
    const [row] = await database.query<{ count: string }>(`SELECT count(*) FROM ${table}`);
    return Number(row?.count);
  };

  describe.each(MODELS)('%s', (model) => {
    it('comes back as it was stored, until it is destroyed', async () => {
      const { jti, payload } = await put(model);
      expect(await adapters(model).find(jti)).toEqual(payload);
      await adapters(model).destroy(jti);
      expect(await adapters(model).find(jti)).toBeUndefined();
    });

    it('is not found once it has expired, but for the clock tolerance', async () => {
      expect(await adapters(model).find((await put(model, {}, -4)).jti)).toBeDefined();
      expect(await adapters(model).find((await put(model, {}, -6)).jti)).toBeUndefined();
    });

    it('is no other model', async () => {
      const { jti } = await put(model);
      for (const other of MODELS.filter((each) => each !== model)) {
        expect(await adapters(other).find(jti)).toBeUndefined();
        await adapters(other).destroy(jti);
        await adapters(other).revokeByGrantId(grantId);
        await expect(adapters(other).consume(jti)).rejects.toBeInstanceOf(errors.InvalidGrant);
      }
      expect(await adapters(model).find(jti)).toBeDefined();
    });

    it('goes with its grant', async () => {
      const { jti } = await put(model, { grantId });
      await adapters('Grant').destroy(grantId);
      expect(await adapters(model).find(jti)).toBeUndefined();
      await expect(put(model, { grantId })).rejects.toBeInstanceOf(errors.InvalidGrant);
    });

    it('is revoked with its grant’s id, and others are not', async () => {
      const { jti } = await put(model, { grantId });
      const otherGrant = id();
      await adapters('Grant').upsert(otherGrant, { jti: otherGrant, accountId, clientId: 'c' }, 60);
      const other = await put(model, { grantId: otherGrant });
      await adapters(model).revokeByGrantId(grantId);
      expect(await adapters(model).find(jti)).toBeUndefined();
      expect(await adapters(model).find(other.jti)).toBeDefined();
    });
  });

  describe.each(['AuthorizationCode', 'DeviceCode'])('consumption of %s', (model) => {
    it('has one winner of 64', async () => {
      const { jti } = await put(model);
      const outcomes = await Promise.allSettled(
        Array.from({ length: 64 }, () => adapters(model).consume(jti)),
      );
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected')
          expect(outcome.reason).toBeInstanceOf(errors.InvalidGrant);
      }
      expect(await adapters('Grant').find(grantId)).toBeDefined();
    });

    it('shows after the time of grace, so that the provider revokes', async () => {
      const { jti } = await put(model);
      await adapters(model).consume(jti);
      expect((await adapters(model).find(jti))?.consumed).toBeFalsy();
      await later(11);
      expect((await adapters(model).find(jti))?.consumed).toBeTruthy();
    });

    it('ends the grant when its refresh token has been issued', async () => {
      const { jti } = await put(model);
      await adapters(model).consume(jti);
      await put('RefreshToken');
      await expect(adapters(model).consume(jti)).rejects.toBeInstanceOf(errors.InvalidGrant);
      expect(await adapters('Grant').find(grantId)).toBeUndefined();
    });
  });

  describe('consumption of RefreshToken', () => {
    it('passes again and at once within the time of grace, and not later', async () => {
      const { jti } = await put('RefreshToken');
      await Promise.all(Array.from({ length: 64 }, () => adapters('RefreshToken').consume(jti)));
      await later(9);
      await adapters('RefreshToken').consume(jti);
      expect((await adapters('RefreshToken').find(jti))?.consumed).toBeFalsy();
      await later(2);
      await expect(adapters('RefreshToken').consume(jti)).rejects.toBeInstanceOf(
        errors.InvalidGrant,
      );
      expect((await adapters('RefreshToken').find(jti))?.consumed).toBeTruthy();
    });

    it('keeps the first row of 64 stored under one id', async () => {
      const jti = id();
      await Promise.all(
        Array.from({ length: 64 }, () =>
          adapters('RefreshToken').upsert(jti, { jti, grantId, accountId }, 60),
        ),
      );
      await adapters('RefreshToken').upsert(jti, { jti, grantId, accountId, scope: 'later' }, 60);
      expect(await adapters('RefreshToken').find(jti)).not.toHaveProperty('scope');
    });
  });

  describe('other keys', () => {
    it('find a session by uid, of which there is one', async () => {
      const uid = id();
      await put('Session', { uid });
      const second = await put('Session', { uid });
      expect(await adapters('Session').findByUid(uid)).toMatchObject({ jti: second.jti });
      expect(await adapters('Session').findByUid(id())).toBeUndefined();
    });

    it('find a device code by user code', async () => {
      const { payload } = await put('DeviceCode', { userCode: 'BCDFGHJK', grantId: undefined });
      expect(await adapters('DeviceCode').findByUserCode('BCDFGHJK')).toEqual(payload);
      expect(await adapters('DeviceCode').findByUserCode('XXXXXXXX')).toBeUndefined();
    });
  });

  describe('a copy of the tables', () => {
    it('holds no identifier and no payload in the clear', async () => {
      const secrets = [id(), id(), 'LMNPQRST'];
      const [uid = '', inner = '', userCode = ''] = secrets;
      const { jti } = await put('DeviceCode', { uid, userCode, nonce: inner });
      const rows = await database.query(
        'SELECT a::text AS row FROM oidc_artifact a UNION ALL SELECT g::text FROM oidc_grant g',
      );
      const dump = rows.map((row) => row['row']).join('\n');
      for (const secret of [...secrets, jti, grantId]) {
        expect(dump).not.toContain(secret);
        expect(dump).not.toContain(Buffer.from(secret).toString('hex'));
      }
    });

    it('is bound to its rows: a payload moved to another row does not open', async () => {
      const [a, b] = [await put('AccessToken'), await put('AccessToken')];
      const hash = (value: string) => createHash('sha256').update(value).digest();
      await database.query(
        'UPDATE oidc_artifact SET sealed_payload = (SELECT sealed_payload FROM oidc_artifact WHERE id_hash = $1) WHERE id_hash = $2',
        [hash(a.jti), hash(b.jti)],
      );
      await expect(adapters('AccessToken').find(b.jti)).rejects.toThrow();
    });
  });

  describe('clients', () => {
    it('are the workspaces, while they exist', async () => {
      const workspace = await createWorkspace(database, 'Shop');
      expect(await adapters('Client').find(workspace.clientId)).toMatchObject({
        client_id: workspace.clientId,
        client_name: 'Shop',
        token_endpoint_auth_method: 'none',
        application_type: 'native',
        id_token_signed_response_alg: 'ES256',
      });
      for (const unknown of [
        formatId('workspace', createId()),
        workspace.id,
        'ws_',
        '',
        accountId,
      ]) {
        expect(await adapters('Client').find(unknown)).toBeUndefined();
      }
    });
  });

  describe('the purge', () => {
    it('removes what has expired and nothing else', async () => {
      const kept = await put('AccessToken');
      await put('AccessToken', {}, -30);
      await put('RefreshToken', {}, -30);
      const gone = id();
      await adapters('Grant').upsert(gone, { jti: gone, accountId, clientId: 'c' }, -30);
      const [artifacts, grants] = [await countIn('oidc_artifact'), await countIn('oidc_grant')];
      expect(await purgeExpired(pool)).toBeGreaterThanOrEqual(3);
      expect(await adapters('AccessToken').find(kept.jti)).toBeDefined();
      expect(await countIn('oidc_artifact')).toBeLessThan(artifacts - 1);
      expect(await countIn('oidc_grant')).toBe(grants - 1);
      // Rows of other tests may pass their end meanwhile; none that had is left.
      const overdue = await database.query<{ count: number }>(
        `SELECT count(*)::int AS count FROM oidc_artifact WHERE expires_at < now() - interval '20 seconds'`,
      );
      expect(overdue).toEqual([{ count: 0 }]);
    });
  });
});
