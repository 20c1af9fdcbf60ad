/**
 * Which signing keys of the issuer are revoked. Verifiers keep the issuer's keys for a while; a token by a
 * key that was revoked is refused all the same, from the moment that this replica hears of it.
 */
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { KEYS_POLL_MS } from '#domain/signing-keys.ts';
import { DOORBELL_SUBJECTS, type Doorbell } from '#runtime/doorbell.ts';
import type { Logger } from '#runtime/log.ts';

/** The revoked keys, as they become more. */
export type RevokedKeys = {
  /** @param kid of a token's header */
  readonly has: (kid: string | undefined) => boolean;
  /** Calls the listener whenever there is another one. */
  readonly onRevoked: (listener: () => void) => void;
};

/** What {@link startRevokedKeys} needs. */
export type RevokedKeysDeps = {
  readonly db: CommonQueryMethods;
  readonly doorbell: Pick<Doorbell, 'listen'>;
  readonly log: Logger;
};

/**
 * Looks when the doorbell rings, and every other second, until disposed of.
 *
 * @throws when the database can't be reached at start
 */
export const startRevokedKeys = async ({
  db,
  doorbell,
  log,
}: RevokedKeysDeps): Promise<RevokedKeys & AsyncDisposable> => {
  let revoked: ReadonlySet<string> = new Set(await listRevokedKeys(db));
  const listeners: (() => void)[] = [];
  const read = async (): Promise<void> => {
    const found = new Set(await listRevokedKeys(db));
    const isNews = [...found].some((kid) => !revoked.has(kid));
    revoked = found;
    if (isNews) for (const listener of listeners) listener();
  };
  let reading = Promise.resolve();
  const look = () => {
    reading = reading
      .then(read)
      .catch((error: unknown) => log.warn({ err: error }, 'revoked keys could not be read'));
  };
  const stop = await doorbell.listen(DOORBELL_SUBJECTS.keysChanged, look);
  const timer = setInterval(look, KEYS_POLL_MS);
  return {
    has: (kid) => kid !== undefined && revoked.has(kid),
    onRevoked: (listener) => listeners.push(listener),
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      stop();
      await reading;
    },
  };
};

const KeyRow = z.strictObject({ kid: z.string() });

const listRevokedKeys = (db: CommonQueryMethods): Promise<readonly string[]> =>
  db.anyFirst(sql.prepared('revoked_keys', KeyRow)`
    SELECT kid FROM signing_key WHERE state = 'revoked'
  `);
