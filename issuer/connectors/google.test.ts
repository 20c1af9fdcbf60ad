import { describe, expect, it } from 'vitest';
import { refuseOtherDomain } from './google.ts';

describe('refuseOtherDomain', () => {
  it.each([
    ['the domain', { hd: 'example.com' }, undefined],
    ['the second domain', { hd: 'example.org' }, undefined],
    ['the domain in another case', { hd: 'Example.COM' }, undefined],
    ['another domain', { hd: 'evil.test' }, 'not_allowed'],
    ['a domain below', { hd: 'sub.example.com' }, 'not_allowed'],
    ['no domain', {}, 'not_allowed'],
    [
      'an address of the domain alone',
      { email: 'a@example.com', email_verified: true },
      'not_allowed',
    ],
    ['a list', { hd: ['example.com'] }, 'not_allowed'],
    ['nothing', { hd: '' }, 'not_allowed'],
  ])('judges %s', (_name, idToken, expected) => {
    expect(refuseOtherDomain(['example.com', 'example.org'], idToken)).toBe(expected);
  });
});
