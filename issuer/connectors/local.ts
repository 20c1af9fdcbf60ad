/** Accounts in the configuration, for trying things out and for emergencies in which no identity provider answers. */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import * as z from 'zod';
import { createTurns, type Turns } from '../limits/turns.ts';
import { admissionShape } from '../people/admission.ts';
import type { PasswordConnector, UpstreamIdentity } from './connector.ts';
import { ConnectorId, ConnectorName, LinkingRule } from './settings.ts';

const HASH = /^scrypt:N=(\d{1,7}),r=(\d{1,2}),p=(\d{1,2}):([\w-]{16,}):([\w-]{43})$/;
const KEY_BYTES = 32;
const DEFAULT_COST: ScryptCost = { N: 16_384, r: 8, p: 1 };

/** The cost of scrypt (RFC 7914). */
export type ScryptCost = { readonly N: number; readonly r: number; readonly p: number };

/** RFC 7914 §2; else nobody would hear of it before somebody signs in. */
const hasPossibleCost = (hash: string): boolean => {
  const [, N, r, p] = (HASH.exec(hash) ?? []).map(Number);
  return N !== undefined && N > 1 && Number.isInteger(Math.log2(N)) && r !== 0 && p !== 0;
};

const PasswordHash = z
  .string()
  .regex(HASH, 'Must be "scrypt:N=…,r=…,p=…:salt:hash"; how to make one is in docs/sign-in.md.')
  .refine(hasPossibleCost, 'N must be a power of two, and r and p at least 1.');

/** A local connector in CONNECTORS. */
export const LocalConnectorConfig = z.strictObject({
  type: z.literal('local'),
  id: ConnectorId,
  name: ConnectorName,
  // Their addresses are never verified, so that rules about domains would let in nobody.
  sign_up: admissionShape.sign_up,
  linking: LinkingRule,
  accounts: z
    .array(
      z.strictObject({
        subject: z.string().min(1).max(255),
        username: z.string().min(1).max(255),
        password_hash: PasswordHash,
        name: z.string().min(1).max(255).optional(),
        email: z.email().optional(),
      }),
    )
    .min(1)
    .refine(
      (accounts) => new Set(accounts.map(({ username }) => username)).size === accounts.length,
      'Each account has a username of its own.',
    ),
});
export type LocalConnectorConfig = z.infer<typeof LocalConnectorConfig>;

/**
 * Hashing a password takes 16 MiB and 50 ms of one of the process's four threads for such work, which files
 * and names are looked up with too. With 64 waiting, the last one waits for two seconds or less.
 */
export const createPasswordTurns = (): Turns => createTurns({ atOnce: 2, waiting: 64 });

/**
 * A connector for these accounts. A wrong username takes as long as a wrong password of the account whose
 * hash costs most. Their e-mail addresses are never verified.
 *
 * @param turns of all password hashing in the process; its signIn throws BusyError
 */
export const createLocalConnector = (
  config: LocalConnectorConfig,
  turns: Turns = createPasswordTurns(),
): PasswordConnector => {
  const accounts = new Map(config.accounts.map((account) => [account.username, account]));
  const decoy = dearestOf(config.accounts.map(({ password_hash }) => password_hash));
  return {
    kind: 'password',
    id: config.id,
    name: config.name,
    admission: { sign_up: config.sign_up },
    linking: config.linking,
    signIn: async (username, password): Promise<UpstreamIdentity | undefined> => {
      const account = accounts.get(username);
      const matches = await turns(() => verifyPassword(account?.password_hash ?? decoy, password));
      if (!account || !matches) return undefined;
      return {
        connector: config.id,
        subject: account.subject,
        displayName: account.name ?? account.username,
        email: account.email,
        emailVerified: false,
      };
    },
  };
};

/** The hash that costs most to verify; of hashes of the form in CONNECTORS. */
export const dearestOf = (hashes: readonly string[]): string =>
  hashes.reduce((dearest, each) => (costOf(each) > costOf(dearest) ? each : dearest), '');

/** In blocks that scrypt mixes, so about time (RFC 7914 §5 and §6). */
const costOf = (hash: string): number => {
  const [, N = 0, r = 0, p = 0] = (HASH.exec(hash) ?? []).map(Number);
  return N * r * p;
};

/** The hash of a password, with a random salt, for CONNECTORS. */
export const hashPassword = async (
  password: string,
  cost: ScryptCost = DEFAULT_COST,
): Promise<string> => {
  const salt = randomBytes(16).toString('base64url');
  const key = await deriveKey(password, salt, cost);
  return `scrypt:N=${cost.N},r=${cost.r},p=${cost.p}:${salt}:${key.toString('base64url')}`;
};

/** Whether a password has this hash. @throws when the hash isn't one of {@link hashPassword}'s */
export const verifyPassword = async (hash: string, password: string): Promise<boolean> => {
  const match = HASH.exec(hash);
  if (!match) throw new Error('not a password hash');
  const [, N, r, p, salt = '', expected = ''] = match;
  const key = await deriveKey(password, salt, { N: Number(N), r: Number(r), p: Number(p) });
  return timingSafeEqual(key, Buffer.from(expected, 'base64url'));
};

const scryptAsync = promisify<string, string, number, ScryptOptions, Buffer>(scrypt);

const deriveKey = (password: string, salt: string, cost: ScryptCost): Promise<Buffer> =>
  // The same password typed on two keyboards may come composed or decomposed.
  scryptAsync(password.normalize('NFKC'), salt, KEY_BYTES, {
    ...cost,
    maxmem: 256 * cost.N * cost.r,
  });
