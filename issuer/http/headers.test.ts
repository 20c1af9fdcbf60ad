import Koa from 'koa';
import { describe, expect, it } from 'vitest';
import { listen } from '#runtime/http-server.ts';
import { setSecurityHeaders } from './headers.ts';

describe('Strict-Transport-Security', () => {
  it.each([
    ['https://id.example.com', 'max-age=31536000'],
    ['https://localhost.example.com', 'max-age=31536000'],
    ['https://localhost:8443', null],
    ['https://hexabase.localhost', null],
    ['https://127.0.0.1:8443', null],
    ['https://[::1]:8443', null],
  ])('of %s is %s', async (issuerUrl, expected) => {
    const app = new Koa();
    app.use(setSecurityHeaders(issuerUrl));
    await using server = await listen(app.callback(), { host: '127.0.0.1', port: 0 });
    const response = await fetch(`http://127.0.0.1:${server.port}/`);
    await response.body?.cancel();
    expect(response.headers.get('strict-transport-security')).toBe(expected);
    expect(response.headers.get('x-frame-options')).toBe('DENY');
  });
});
