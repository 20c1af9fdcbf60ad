import { describe, expect, it } from 'vitest';
import { isPlainPath, PROVIDER_PATHS } from './path.ts';

describe('isPlainPath', () => {
  it.each([
    '/',
    '/token',
    '/token/revocation',
    '/.well-known/openid-configuration',
    '/interaction/aB3_-xYz/sign-in/local',
    '/auth/QwErTy',
    '/assets/0123456789abcdef.css',
  ])('takes %s', (path) => {
    expect(isPlainPath(path, PROVIDER_PATHS)).toBe(true);
  });

  it.each([
    '',
    '//',
    '//token',
    '/token/',
    '/Token',
    '/TOKEN',
    '/token/Revocation',
    '/session/END/confirm',
    '/device/AUTH',
    '/.Well-known/openid-configuration',
    '/./token',
    '/x/../token',
    '/token/..',
    '/token;x',
    '/token%2f',
    '/%74oken',
    '/token\\',
    '/token ',
    '/tokén',
    'token',
  ])('refuses %s', (path) => {
    expect(isPlainPath(path, PROVIDER_PATHS)).toBe(false);
  });
});
