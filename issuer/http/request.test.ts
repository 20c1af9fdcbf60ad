import { describe, expect, it } from 'vitest';
import { withoutSecrets } from './request.ts';

describe('withoutSecrets', () => {
  it.each([
    ['/auth', '/auth'],
    ['/device', '/device'],
    ['/device/auth', '/device/auth'],
    ['/token/revocation', '/token/revocation'],
    ['/interaction/s3cret', '/interaction/:uid'],
    ['/interaction/s3cret/sign-in/local', '/interaction/:uid/sign-in/local'],
    ['/auth/s3cret', '/auth/:uid'],
    ['/device/s3cret', '/device/:uid'],
    ['//interaction/s3cret/', '//interaction/:uid/'],
    ['/interaction//s3cret', '/interaction//:uid'],
    ['/Interaction/s3cret', '/Interaction/:uid'],
    ['/AUTH/s3cret/', '/AUTH/:uid/'],
    ['/x/../auth/s3cret', '/x/../auth/:uid'],
  ])('logs %s as %s', (path, logged) => {
    expect(withoutSecrets(path)).toBe(logged);
  });
});
