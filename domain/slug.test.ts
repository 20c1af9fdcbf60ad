import { describe, expect, it } from 'vitest';
import { toSlug } from './slug.ts';

describe('toSlug', () => {
  it.each([
    ['Payments production', 'payments-production'],
    ['Müller & Söhne', 'muller-sohne'],
    ['  --  ', 'fallback'],
    ['日本', 'fallback'],
    ['a'.repeat(50), 'a'.repeat(40)],
    [`${'a'.repeat(39)} b`, 'a'.repeat(39)],
  ])('makes %j into %s', (name, slug) => {
    expect(toSlug(name, 'fallback')).toBe(slug);
  });
});
