/**
 * A cache in Redis of rows that PostgreSQL has, which never shows what a finished write has replaced or
 * removed. Whoever writes claims the entry first, and settles it afterwards with what was written, unless
 * somebody else has claimed it meanwhile: then nothing is known, and the entry stays empty for longer than
 * anyone's older reading can last. Values are sealed for their entry with the moment until which they count,
 * so that whoever can write to Redis brings no old one back, and keys hold hashes.
 */
import { randomBytes } from 'node:crypto';
import { Counter, type Registry } from 'prom-client';
import type { Encryption } from '#runtime/encryption.ts';
import { ask, type RedisConnection } from './redis.ts';

/** Which entry. */
export type CacheKey = { readonly model: string; readonly idHash: Buffer };

/** A cache of JSON values. */
export type Cache = {
  /**
   * The value, from the cache, or else from `load`, which is then kept.
   *
   * @param seconds how long a loaded value may be kept, at most {@link MAX_SECONDS}; 0 for not at all
   */
  readonly read: <Value extends object>(
    key: CacheKey,
    load: () => Promise<Value | undefined>,
    seconds: (value: Value) => number,
  ) => Promise<Value | undefined>;
  /** Writes to the database, and then to the cache. @param kept `undefined` to keep nothing */
  readonly write: <Result>(
    key: CacheKey,
    write: () => Promise<Result>,
    kept?: { readonly value: object; readonly seconds: number },
  ) => Promise<Result>;
};

/** How old what the cache shows can be when Redis failed while it was replaced elsewhere, in seconds. */
export const MAX_SECONDS = 30;

// An empty entry outlives what was read before it was made, also where clocks differ a little.
const CLAIM_SECONDS = MAX_SECONDS + 10;
const CLAIM = 0;

const SETTLE = `
  if redis.call('GET', KEYS[1]) == ARGV[1] then
    return redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  end
  return redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5])`;

/** What {@link createCache} needs. */
export type CacheDeps = {
  readonly redis: RedisConnection;
  readonly encryption: Encryption;
  readonly metrics: Registry;
};

/** Makes the cache. It is never the reason why something fails. */
export const createCache = ({ redis, encryption, metrics }: CacheDeps): Cache => {
  const reads = new Counter({
    name: 'cache_reads_total',
    help: 'Readings by model, and whether the cache had the answer.',
    labelNames: ['model', 'outcome'],
    registers: [metrics],
  });
  const owed = createDebts(redis);
  const seal = (key: CacheKey, value: object, until: number) =>
    encryption.seal(purposeOf(key), JSON.stringify({ value, until }));
  const fill = (key: CacheKey, value: object, until: number) =>
    ask(redis, (client) => client.set(nameOf(key), seal(key, value, until), 'PXAT', until, 'NX'));
  return {
    read: async (key, load, seconds) => {
      const startedAt = Date.now();
      const found = owed.has(nameOf(key)) ? undefined : await get(redis, key);
      const value = found && found[0] !== CLAIM ? open(encryption, key, found) : undefined;
      reads.inc({ model: key.model, outcome: value ? 'hit' : 'miss' });
      if (value) return value as never;
      const loaded = await load();
      const kept = loaded ? Math.min(seconds(loaded), MAX_SECONDS) : 0;
      if (loaded && kept > 0 && !found) await fill(key, loaded, startedAt + kept * 1_000);
      return loaded;
    },
    write: async (key, write, kept) => {
      const name = nameOf(key);
      const claim = createClaim();
      await setClaim(redis, name, claim);
      const seconds = Math.min(Math.floor(kept?.seconds ?? 0), MAX_SECONDS);
      const until = Date.now() + seconds * 1_000;
      let settled: unknown;
      try {
        const result = await write();
        settled =
          kept && seconds > 0
            ? await settle(redis, { name, claim, value: seal(key, kept.value, until), seconds })
            : await setClaim(redis, name, createClaim());
        return result;
      } catch (error) {
        // Whether it was written is not known.
        settled = await setClaim(redis, name, createClaim());
        throw error;
      } finally {
        if (settled === undefined) owed.add(name);
      }
    },
  };
};

const createClaim = (): Buffer => Buffer.concat([Buffer.of(CLAIM), randomBytes(12)]);

const nameOf = ({ model, idHash }: CacheKey): string =>
  `hexabase:${model}:${idHash.toString('base64url')}`;

const purposeOf = ({ model, idHash }: CacheKey): string =>
  `cache:${model}:${idHash.toString('hex')}`;

const get = (redis: RedisConnection, key: CacheKey): Promise<Buffer | null | undefined> =>
  ask(redis, (client) => client.getBuffer(nameOf(key)));

/**
 * What doesn't open was put there by someone else, or under another key, and what counts no more was put back:
 * it is as if it weren't there.
 */
const open = (encryption: Encryption, key: CacheKey, sealed: Buffer): object | undefined => {
  try {
    const { value, until } = JSON.parse(encryption.open(purposeOf(key), sealed));
    return until > Date.now() ? value : undefined;
  } catch {
    return undefined;
  }
};

const setClaim = (redis: RedisConnection, name: string, claim: Buffer): Promise<unknown> =>
  ask(redis, (client) => client.set(name, claim, 'EX', CLAIM_SECONDS));

type Settlement = {
  readonly name: string;
  readonly claim: Buffer;
  readonly value: Buffer;
  readonly seconds: number;
};

const settle = (
  redis: RedisConnection,
  { name, claim, value, seconds }: Settlement,
): Promise<unknown> =>
  ask(redis, (client) =>
    client.eval(
      SETTLE,
      1,
      name,
      claim,
      value,
      seconds * 1_000,
      createClaim(),
      CLAIM_SECONDS * 1_000,
    ),
  );

/**
 * Entries that could not be emptied: this replica doesn't read them, and empties them when Redis is back. No
 * reading waits for that.
 */
const createDebts = (redis: RedisConnection) => {
  const debts = new Map<string, { readonly until: number }>();
  let paying = false;
  const payOne = async (name: string, debt: { readonly until: number }): Promise<boolean> => {
    const isPaid =
      debt.until < Date.now() || (await setClaim(redis, name, createClaim())) !== undefined;
    // Meanwhile it may be owed once more.
    if (isPaid && debts.get(name) === debt) debts.delete(name);
    return isPaid;
  };
  const pay = async (): Promise<void> => {
    paying = true;
    const owed = [...debts];
    let isBack = true;
    while (isBack && owed.length > 0) {
      const paid = await Promise.all(owed.splice(0, BATCH).map((each) => payOne(...each)));
      isBack = !paid.includes(false);
    }
    paying = false;
  };
  return {
    add: (name: string) => {
      debts.set(name, { until: Date.now() + CLAIM_SECONDS * 1_000 });
    },
    /** Whether an entry is still owed; begins to pay all of them. */
    has: (name: string): boolean => {
      if (debts.size > 0 && !paying) void pay();
      return debts.has(name);
    },
  };
};

/** Debts that are paid at once. */
const BATCH = 64;
