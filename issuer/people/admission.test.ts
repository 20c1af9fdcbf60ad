import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { admissionShape, parseEmailDomain, refuseAdmission } from './admission.ts';

describe('parseEmailDomain', () => {
  it.each([
    ['ann@example.com', 'example.com'],
    ['Ann.Lee+kaas@EXAMPLE.com', 'example.com'],
    ["o'hara@mail.example.com", 'mail.example.com'],
    ['ann@bücher.example', 'xn--bcher-kva.example'],
    ['ann@BÜCHER.example', 'xn--bcher-kva.example'],
    ['ann@xn--bcher-kva.example', 'xn--bcher-kva.example'],
    // A look-alike is another domain: its "а" is Cyrillic.
    ['ann@exаmple.com', 'xn--exmple-4nf.com'],
  ])('reads %s', (email, domain) => {
    expect(parseEmailDomain(email)).toBe(domain);
  });

  it.each([
    ['nothing', ''],
    ['no @', 'example.com'],
    ['no local part', '@example.com'],
    ['no domain', 'ann@'],
    ['a second @', 'ann@evil.test@example.com'],
    ['a quoted @', '"ann@evil.test"@example.com'],
    ['a quoted local part', '"ann"@example.com'],
    ['a comment', 'ann(evil.test)@example.com'],
    ['a comment in the domain', 'ann@example.com(evil.test)'],
    ['a display name', 'Ann <ann@example.com>'],
    ['a route', '@evil.test:ann@example.com'],
    ['two addresses', 'ann@evil.test,ann@example.com'],
    ['a space', 'ann @example.com'],
    ['a space at the end', 'ann@example.com '],
    ['a line break', 'ann@example.com\n'],
    ['a hidden line break', 'ann@evil.test\r\n@example.com'],
    ['NUL', 'ann@example.com\0.evil.test'],
    ['a zero-width space', 'ann@exam\u200bple.com'],
    ['a soft hyphen', 'ann@exam\u00adple.com'],
    ['a direction override', 'ann@\u202eexample.com'],
    ['an @ that isn’t one', 'ann＠example.com'],
    ['full-width letters', 'ann@ｅxample.com'],
    ['an ideographic full stop', 'ann@example。com'],
    ['a full-width full stop', 'ann@example．com'],
    ['a sign that is read as letters', 'ann@example.℡'],
    ['a Kelvin sign', 'ann@\u212aexample.com'],
    ['an encoded @', 'ann%40evil.test'],
    ['percent-encoding in the domain', 'ann@%65xample.com'],
    ['a path', 'ann@example.com/evil.test'],
    ['a port', 'ann@example.com:25'],
    ['an address literal', 'ann@[127.0.0.1]'],
    ['an empty label', 'ann@example..com'],
    ['a dot at the front', 'ann@.example.com'],
    ['a dot at the end', 'ann@example.com.'],
    ['a hyphen at the edge', 'ann@-example.com'],
    ['an underscore', 'ann@ex_ample.com'],
    ['one label', 'ann@localhost'],
    ['dots in a row', 'ann..lee@example.com'],
    ['a local part of 65', `${'a'.repeat(65)}@example.com`],
    ['a label of 64', `ann@${'a'.repeat(64)}.com`],
    ['punycode of nothing', 'ann@xn--.example'],
    ['a non-ASCII local part', 'аnn@example.com'],
  ])('refuses %s', (_name, email) => {
    expect(parseEmailDomain(email)).toBeUndefined();
  });
});

describe('refuseAdmission', () => {
  const verified = (email: string) => ({ email, emailVerified: true });
  const domains = { allowed_email_domains: ['example.com'] };
  const invited = { sign_up: 'invited' } as const;

  it.each([
    ['no rules', undefined, { email: undefined, emailVerified: false }, false],
    ['open', { sign_up: 'open' } as const, verified('a@other.test'), false],
    ['the domain', domains, verified('a@example.com'), false],
    ['the domain in any case', domains, verified('a@Example.COM'), false],
    ['someone invited', invited, verified('a@other.test'), true],
    ['both', { ...domains, ...invited }, verified('a@example.com'), true],
  ])('lets in with %s', (_name, rules, identity, known) => {
    expect(refuseAdmission(rules, identity, known)).toBeUndefined();
  });

  it.each([
    ['another domain', domains, verified('a@other.test'), true, 'email_domain'],
    ['a domain below', domains, verified('a@sub.example.com'), true, 'email_domain'],
    ['a domain that ends so', domains, verified('a@evilexample.com'), true, 'email_domain'],
    ['a domain that begins so', domains, verified('a@example.com.evil.test'), true, 'email_domain'],
    ['two domains', domains, verified('a@evil.test@example.com'), true, 'email_domain'],
    [
      'no proof',
      domains,
      { email: 'a@example.com', emailVerified: false },
      true,
      'email_unverified',
    ],
    ['no address', domains, { email: undefined, emailVerified: true }, true, 'email_unverified'],
    ['a stranger', invited, verified('a@example.com'), false, 'not_invited'],
    [
      'the domain alone',
      { ...domains, ...invited },
      verified('a@example.com'),
      false,
      'not_invited',
    ],
  ] as const)('refuses %s', (_name, rules, identity, known, refusal) => {
    expect(refuseAdmission(rules, identity, known)).toBe(refusal);
  });
});

describe('admissionShape', () => {
  const Rules = z.strictObject(admissionShape);

  it('writes domains in the form in which they are compared', () => {
    const rules = Rules.parse({ allowed_email_domains: ['Example.COM', 'bücher.example'] });
    expect(rules.allowed_email_domains).toEqual(['example.com', 'xn--bcher-kva.example']);
  });

  it.each([['*.example.com'], ['@example.com'], ['example.com '], ['.example.com'], ['com'], ['']])(
    'refuses the domain "%s"',
    (domain) => {
      expect(Rules.safeParse({ allowed_email_domains: [domain] }).success).toBe(false);
    },
  );

  it('refuses an empty list, which would let in nobody', () => {
    expect(Rules.safeParse({ allowed_email_domains: [] }).success).toBe(false);
  });
});
