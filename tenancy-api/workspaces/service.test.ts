import { describe, expect, it } from 'vitest';
import { toSlug } from './service.ts';

describe('toSlug', () => {
  it.each([
    ['Acme', 'acme'],
    ['  Acme & Söhne!  ', 'acme-sohne'],
    ['日本', 'workspace'],
    ['---', 'workspace'],
    [`${'a'.repeat(39)} b`, 'a'.repeat(39)],
  ])('%j becomes %s', (name, slug) => {
    expect(toSlug(name)).toBe(slug);
  });
});
