import { describe, expect, it } from 'vitest';
import { toOwnAddress } from './locale.ts';

const ISSUER = 'https://id.example.com';

describe('toOwnAddress', () => {
  it.each([
    ['/interaction/abc', `${ISSUER}/interaction/abc`],
    ['/auth?client_id=a&state=b%26c', `${ISSUER}/auth?client_id=a&state=b%26c`],
    ['/', `${ISSUER}/`],
    ['', `${ISSUER}/`],
    [`${ISSUER}/device`, `${ISSUER}/device`],
    ['//evil.example', `${ISSUER}/`],
    ['///evil.example', `${ISSUER}/`],
    ['/\\evil.example', `${ISSUER}/`],
    ['\\\\evil.example', `${ISSUER}/`],
    ['/\t/evil.example', `${ISSUER}/`],
    ['https://evil.example/', `${ISSUER}/`],
    ['https://id.example.com.evil.example/', `${ISSUER}/`],
    ['https://id.example.com@evil.example/', `${ISSUER}/`],
    ['https://evil@id.example.com/', `${ISSUER}/`],
    ['http://id.example.com/', `${ISSUER}/`],
    ['https://id.example.com:8443/', `${ISSUER}/`],
    ['javascript:alert(1)', `${ISSUER}/`],
    ['data:text/html,x', `${ISSUER}/`],
    ['https://', `${ISSUER}/`],
    // Stays ours only because it is written in full.
    ['/.//evil.example', `${ISSUER}//evil.example`],
    ['/device\r\nSet-Cookie: a=b', `${ISSUER}/deviceSet-Cookie:%20a=b`],
  ])('of %j is %s', (address, expected) => {
    expect(toOwnAddress(address, ISSUER)).toBe(expected);
  });
});
