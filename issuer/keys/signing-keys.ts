/**
 * The keys that sign tokens, kept sealed and published at `/jwks`. Every replica rotates them when that is
 * due, and sees within seconds what another one, or an operator, has changed.
 */
import type { JWK } from 'jose';
import { Gauge, type Registry } from 'prom-client';
import { KEYS_POLL_MS } from '#domain/signing-keys.ts';
import type { Encryption } from '#runtime/encryption.ts';
import type { Logger } from '#runtime/log.ts';
import { type KeyChangeDeps, purposeOfKey, rotateWhenDue } from './change-keys.ts';
import type { KeyRow } from './queries.ts';
import { ageOf, type RotationPolicy, toRotationPolicy } from './rotation.ts';

/** The keys of one moment. */
export type SigningKeySet = {
  /** Private keys, each algorithm's current one before any other, since the first that fits signs. */
  readonly keys: readonly JWK[];
  /** Of those for ES256 the one that was published last. */
  readonly newest: JWK;
};

/** The keys as they change. */
export type SigningKeys = AsyncDisposable & {
  readonly current: () => SigningKeySet;
  /** Calls the listener with each set from the next one on. */
  readonly onChange: (listener: (set: SigningKeySet) => void) => void;
  /** Whether nobody has looked for long, because this process was held up: then `refresh` comes first. */
  readonly isOverdue: () => boolean;
  /** Looks now. Never throws: what could be read last goes on. */
  readonly refresh: () => Promise<void>;
};

/** What {@link startSigningKeys} needs. */
export type SigningKeysOptions = KeyChangeDeps & {
  readonly log: Logger;
  readonly metrics: Registry;
  /** By default every 30 days. */
  readonly policy?: RotationPolicy | undefined;
};

/** How long a current key signs by default, in days. */
export const ROTATE_DAYS = 30;

const OVERDUE_MS = 30_000;

/**
 * Makes the keys that are missing, and follows them until disposed of.
 *
 * @throws when the database can't be reached, or a key was sealed with an ENCRYPTION_KEY that isn't there
 */
export const startSigningKeys = async (options: SigningKeysOptions): Promise<SigningKeys> => {
  const { encryption, log, policy = toRotationPolicy(ROTATE_DAYS) } = options;
  const listeners: ((set: SigningKeySet) => void)[] = [];
  let rows = await rotateWhenDue(options, policy);
  let set = open(rows, encryption);
  let lookedAt = Date.now();
  const look = async (): Promise<void> => {
    const found = await rotateWhenDue(options, policy);
    if (toVersion(found) === toVersion(rows)) return;
    const next = open(found, encryption);
    log.info(
      { keys: found.map(({ kid, state }) => `${state} ${kid}`) },
      'the signing keys changed',
    );
    [rows, set] = [found, next];
    for (const listener of listeners) listener(next);
  };
  let looking: Promise<void> | undefined;
  const refresh = (): Promise<void> => {
    looking ??= look()
      .catch((error: unknown) => log.warn({ err: error }, 'the signing keys could not be read'))
      .finally(() => {
        lookedAt = Date.now();
        looking = undefined;
      });
    return looking;
  };
  measureAges(options.metrics, () => rows);
  const timer = setInterval(refresh, KEYS_POLL_MS);
  return {
    current: () => set,
    onChange: (listener) => listeners.push(listener),
    isOverdue: () => Math.abs(Date.now() - lookedAt) > OVERDUE_MS,
    refresh,
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await looking;
    },
  };
};

/** @throws when a key was sealed with an ENCRYPTION_KEY that isn't there */
const open = (rows: readonly KeyRow[], encryption: Encryption): SigningKeySet => {
  const published = rows
    .filter(({ state }) => state !== 'revoked')
    .map((row) => ({
      row,
      jwk: JSON.parse(encryption.open(purposeOfKey(row.kid), row.sealed_jwk)) as JWK,
    }));
  // The first two are made in the same moment.
  const [newest] = published
    .filter(({ row }) => row.algorithm === 'ES256')
    .reverse()
    .sort((one, other) => +other.row.created_at - +one.row.created_at);
  if (!newest) throw new Error('there is no key to sign with');
  return { keys: published.map(({ jwk }) => jwk), newest: newest.jwk };
};

const toVersion = (rows: readonly KeyRow[]): string =>
  rows.map(({ kid, state }) => `${state}:${kid}`).join();

const measureAges = (metrics: Registry, list: () => readonly KeyRow[]): void => {
  new Gauge({
    name: 'signing_key_age_seconds',
    help: 'How long ago the newest key of an algorithm and state came into that state.',
    labelNames: ['algorithm', 'state'],
    registers: [metrics],
    collect() {
      this.reset();
      for (const row of [...list()].sort((a, b) => +a.state_since - +b.state_since)) {
        this.set({ algorithm: row.algorithm, state: row.state }, ageOf(row, new Date()));
      }
    },
  });
};
