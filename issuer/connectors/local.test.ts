import { describe, expect, it } from 'vitest';
import {
  createLocalConnector,
  dearestOf,
  hashPassword,
  LocalConnectorConfig,
  verifyPassword,
} from './local.ts';

const CHEAP = { N: 256, r: 8, p: 1 };

describe('hashPassword', () => {
  it('is verified by that password only, with a salt of its own', async () => {
    const [one, two] = [
      await hashPassword('pässword', CHEAP),
      await hashPassword('pässword', CHEAP),
    ];
    expect(one).not.toBe(two);
    expect(one).not.toContain('pässword');
    expect(await verifyPassword(one, 'pässword')).toBe(true);
    expect(await verifyPassword(one, 'pa\u0308ssword')).toBe(true);
    expect(await verifyPassword(one, 'Pässword')).toBe(false);
    expect(await verifyPassword(one, '')).toBe(false);
  });

  it('costs what interactive sign-in may, by default', async () => {
    expect(await hashPassword('x')).toMatch(/^scrypt:N=16384,r=8,p=1:/);
  });
});

describe('dearestOf', () => {
  const hashOf = (cost: string) => `scrypt:${cost}:${'s'.repeat(22)}:${'h'.repeat(43)}`;

  it.each([
    ['the only one', ['N=2,r=8,p=1'], 'N=2,r=8,p=1'],
    ['more memory', ['N=16384,r=8,p=1', 'N=32768,r=8,p=1', 'N=2,r=8,p=1'], 'N=32768,r=8,p=1'],
    ['larger blocks', ['N=16384,r=8,p=1', 'N=16384,r=16,p=1'], 'N=16384,r=16,p=1'],
    ['more passes', ['N=16384,r=8,p=5', 'N=32768,r=8,p=1'], 'N=16384,r=8,p=5'],
  ])('is %s', (_name, costs, dearest) => {
    expect(dearestOf(costs.map(hashOf))).toBe(hashOf(dearest));
  });
});

describe('the local connector', () => {
  it('knows who has which password', async () => {
    const account = async (subject: string, more: object = {}) => ({
      subject,
      username: subject.toUpperCase(),
      password_hash: await hashPassword(`${subject}’s`, CHEAP),
      ...more,
    });
    const connector = createLocalConnector({
      type: 'local',
      id: 'staff',
      name: 'Staff',
      accounts: [
        await account('a', { name: 'Ann', email: 'ann@example.test' }),
        await account('b'),
      ],
    });
    expect(await connector.signIn('A', 'a’s')).toEqual({
      connector: 'staff',
      subject: 'a',
      displayName: 'Ann',
      email: 'ann@example.test',
      emailVerified: false,
    });
    expect(await connector.signIn('B', 'b’s')).toMatchObject({ subject: 'b', displayName: 'B' });
    expect(await connector.signIn('A', 'b’s')).toBeUndefined();
    expect(await connector.signIn('a', 'a’s')).toBeUndefined();
    expect(await connector.signIn('__proto__', 'a’s')).toBeUndefined();
  });
});

describe('the settings of a local connector', () => {
  const HASH = `scrypt:N=16384,r=8,p=1:${'s'.repeat(22)}:${'h'.repeat(43)}`;
  const isTaken = (...accounts: readonly object[]): boolean =>
    LocalConnectorConfig.safeParse({ type: 'local', id: 'local', name: 'Local', accounts }).success;
  const account = (password_hash: string, username = 'ann') => ({
    subject: username,
    username,
    password_hash,
  });

  it.each([
    ['as hashPassword makes it', HASH, true],
    ['a cost that is no power of two', HASH.replace('16384', '16383'), false],
    ['no cost', HASH.replace('16384', '1'), false],
    ['no block', HASH.replace('r=8', 'r=0'), false],
    ['no lane', HASH.replace('p=1', 'p=0'), false],
    ['another scheme', HASH.replace('scrypt', 'bcrypt'), false],
  ])('hold hashes that can be verified: %s', (_name, hash, expected) => {
    expect(isTaken(account(hash))).toBe(expected);
  });

  it('have each username once', () => {
    expect(isTaken(account(HASH), account(HASH, 'bob'))).toBe(true);
    expect(isTaken(account(HASH), account(HASH))).toBe(false);
  });
});
