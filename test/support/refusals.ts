/** What a refused sign-in must look like: a page of ours that says what to do, and logs that keep secrets. */
import { expect } from 'vitest';
import { EN_ERRORS, type ErrorCode } from '../../issuer/views/messages/en-errors.ts';
import type { VisitedPage } from '../../quickstart/page-visitor.ts';

/** Expects the error page with these words, the request's number, and nothing that was injected. */
export const expectRefusal = (page: VisitedPage, status: number, code: ErrorCode): void => {
  const { title, next } = EN_ERRORS.codes[code];
  expect({ left: page.left, status: page.status, text: page.text }).toMatchObject({
    left: false,
    status,
    text: expect.stringContaining(title),
  });
  expect(page.text).toContain(next);
  expect(page.text).toContain(page.headers.get('x-request-id') ?? 'no request id');
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(page.document.querySelectorAll('script')).toHaveLength(0);
};

/** Expects none of these in any line. */
export const expectNoneLogged = (lines: readonly string[], secrets: Iterable<string>): void => {
  const log = lines.join('\n');
  expect(log).toContain('"msg":"request"');
  // A failure must not print what it has found.
  expect([...secrets].filter((secret) => log.includes(secret)).map(() => 'a secret')).toEqual([]);
};
