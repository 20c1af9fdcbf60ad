import { describe, expect, it } from 'vitest';
import {
  type Claims,
  isComplete,
  mergeClaims,
  toDisplayName,
  toGroups,
  toIdentity,
} from './claims.ts';
import { UpstreamError } from './connector.ts';

const NAMES = {
  subject_claim: 'sub',
  name_claim: 'name',
  email_claim: 'email',
  email_verified_claim: 'email_verified',
  groups_claim: 'groups',
};

const identityOf = (claims: Claims) => toIdentity('corp', { sub: 's', ...claims }, NAMES);

describe('toIdentity', () => {
  it('is made of the configured claims', () => {
    const names = { ...NAMES, subject_claim: 'oid', name_claim: 'nick', email_claim: 'mail' };
    const claims = { sub: 's', oid: 'o', nick: 'Ann', mail: 'a@b.test', email_verified: true };
    expect(toIdentity('corp', claims, names)).toEqual({
      connector: 'corp',
      subject: 'o',
      displayName: 'Ann',
      email: 'a@b.test',
      emailVerified: true,
    });
  });

  it.each([
    [true, true],
    [false, false],
    ['true', false],
    ['1', false],
    [1, false],
    [{}, false],
    [[true], false],
    [null, false],
    [undefined, false],
  ])(
    'takes an e-mail address with email_verified %j for verified: %s',
    (email_verified, expected) => {
      expect(identityOf({ email: 'a@b.test', email_verified }).emailVerified).toBe(expected);
    },
  );

  it.each([
    'a@b.test, c@d.test',
    'no address',
    '',
    ['a@b.test'],
    { email: 'a@b.test' },
    `${'a'.repeat(250)}@b.test`,
    7,
  ])('takes %j for no e-mail address, so for no verified one', (email) => {
    expect(identityOf({ email, email_verified: true })).toMatchObject({
      email: undefined,
      emailVerified: false,
    });
  });

  it.each([undefined, null, '', 7, ['s'], 'a\u0000b', 'a\nb', 's'.repeat(256), 'a\ud800'])(
    'refuses the subject %j',
    (sub) => {
      expect(() => toIdentity('corp', { sub }, NAMES)).toThrow(UpstreamError);
    },
  );

  it('falls back to what else there is for a name', () => {
    const email = 'a@b.test';
    expect(identityOf({ name: ' ', preferred_username: 'ann', email }).displayName).toBe('ann');
    expect(identityOf({ email }).displayName).toBe(email);
    expect(identityOf({ name: { given: 'Ann' } }).displayName).toBe('s');
  });
});

describe('toDisplayName', () => {
  it('is one line that a database and a page can hold', () => {
    expect(toDisplayName(['Ann\u0000\r\nLee\u2028!'])).toBe('Ann Lee !');
    expect(toDisplayName(['x'.repeat(300)])).toHaveLength(255);
    expect(toDisplayName([`${'x'.repeat(254)}😀`])?.isWellFormed()).toBe(true);
  });

  it.each([...'\u00ad\u034f\u115f\u180e\u202e\u2063\u206f\u2800\u3164\uffa0\u{e0041}'])(
    'has nothing that isn’t seen: %j',
    (unseen) => {
      expect(toDisplayName([`${unseen}An${unseen}n${unseen}`])).toBe('An n');
      expect(toDisplayName([unseen, 'ann'])).toBe('ann');
    },
  );

  it('keeps what scripts and emoji are joined with, but is not made of that alone', () => {
    for (const name of ['می\u200cخواهم', '👩\u200d🚀', '葛\u{e0100}城']) {
      expect(toDisplayName([name])).toBe(name);
    }
    expect(toDisplayName(['\u200d\ufe0f', 'ann'])).toBe('ann');
  });
});

describe('toGroups', () => {
  it.each([
    [undefined, []],
    [[], []],
    [
      ['b', 'a', 'b'],
      ['a', 'b'],
    ],
    [['/org/team'], ['/org/team']],
  ])('reads %j', (groups, expected) => {
    expect(toGroups('corp', { groups }, 'groups')).toEqual(expected);
  });

  it.each([
    ['a text', { groups: 'admins' }],
    ['an object', { groups: { admins: true } }],
    ['a list with a number', { groups: ['a', 1] }],
    ['an empty name', { groups: [''] }],
    ['a name with a line break', { groups: ['a\nb'] }],
    ['a name with half a character', { groups: ['a\udc00'] }],
    ['too many', { groups: Array.from({ length: 1_001 }, (_, each) => `g${each}`) }],
    ['groups that are elsewhere', { _claim_names: { groups: 'src1' }, _claim_sources: {} }],
  ])('refuses %s instead of taking rights for gone', (_name, claims) => {
    expect(() => toGroups('corp', claims, 'groups')).toThrow(/invalid/);
  });
});

describe('userinfo', () => {
  const complete = { sub: 's', name: 'n', email: 'e', email_verified: false, groups: [] };

  it('is asked when a claim is missing', () => {
    expect(isComplete(complete, NAMES)).toBe(true);
    expect(isComplete({ ...complete, groups: undefined }, NAMES)).toBe(false);
    expect(
      isComplete({ ...complete, groups: undefined }, { ...NAMES, groups_claim: undefined }),
    ).toBe(true);
  });

  it('never overrides the ID token', () => {
    const idToken = { sub: 's', groups: ['a'] };
    const merged = mergeClaims(idToken, { sub: 'other', groups: ['admin'], name: 'n' }, NAMES);
    expect(merged).toEqual({ sub: 's', groups: ['a'], name: 'n' });
  });

  it.each([
    ['the same address', 'a@b.test', true],
    ['another address', 'other@b.test', undefined],
    ['no address', undefined, undefined],
  ])('vouches for %s', (_name, email, expected) => {
    const userinfo = { ...(email !== undefined && { email }), email_verified: true };
    const merged = mergeClaims({ email: 'a@b.test' }, userinfo, NAMES);
    expect(merged['email_verified']).toBe(expected);
  });
});
