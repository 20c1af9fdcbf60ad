import { describe, expect, it } from 'vitest';
import { toGitHubIdentity } from './github-account.ts';

const USER = { id: 583_231, login: 'octocat', name: 'The Octocat' };
const address = (email: string, primary: boolean, verified: boolean) => ({
  email,
  primary,
  verified,
});

describe('toGitHubIdentity', () => {
  it('is the number, never the login', () => {
    expect(toGitHubIdentity('github', USER, [])).toEqual({
      connector: 'github',
      subject: '583231',
      displayName: 'The Octocat',
      email: undefined,
      emailVerified: false,
    });
    expect(toGitHubIdentity('github', { ...USER, name: null }, []).displayName).toBe('octocat');
  });

  it.each([
    ['primary and verified', [address('a@b.test', true, true)], 'a@b.test'],
    ['primary, not verified', [address('a@b.test', true, false)], undefined],
    ['verified, not primary', [address('a@b.test', false, true)], undefined],
    [
      'one of each',
      [address('a@b.test', true, false), address('c@d.test', false, true)],
      undefined,
    ],
    ['no address', [address('no address', true, true)], undefined],
  ])('takes an e-mail address that is %s', (_name, addresses, expected) => {
    const { email, emailVerified } = toGitHubIdentity('github', USER, addresses);
    expect([email, emailVerified]).toEqual([expected, expected !== undefined]);
  });
});
