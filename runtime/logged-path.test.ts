import { describe, expect, it } from 'vitest';
import { toLoggedPath } from './logged-path.ts';

describe('toLoggedPath', () => {
  it.each([
    ['/', '/'],
    [
      '/v1/workspaces/ws_01m7zmbdftfzwv6292gm6eqy3a',
      '/v1/workspaces/ws_01m7zmbdftfzwv6292gm6eqy3a',
    ],
    ['/x/01940000-0000-7000-8000-000000000001', '/x/01940000-0000-7000-8000-000000000001'],
    ['/.well-known/oauth-authorization-server', '/.well-known/oauth-authorization-server'],
    [`/v1/eyJhbGciOiJFUzI1NiJ9.${'a'.repeat(40)}.b/x`, '/v1/:long/x'],
    [`/${'a'.repeat(43)}`, '/:long'],
  ])('logs %s as %s', (path, logged) => {
    expect(toLoggedPath(path)).toBe(logged);
  });
});
