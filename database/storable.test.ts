import { describe, expect, it } from 'vitest';
import { storableJson, toStorableText } from './storable.ts';

describe('toStorableText', () => {
  it.each([
    ['what is text already', 'é \u{1F600}', 'é \u{1F600}'],
    ['U+0000', 'a\0b', 'a\uFFFDb'],
    ['half a character', '\ud83d', '\uFFFD'],
  ])('makes of %s what can be stored', (_name, text, expected) => {
    expect(toStorableText(text)).toBe(expected);
  });

  it('is no longer than asked, and halves no character', () => {
    expect(toStorableText('abc', 2)).toBe('ab');
    expect(toStorableText('a\u{1F600}', 2)).toBe('a\uFFFD');
  });
});

describe('storableJson', () => {
  it('changes texts and keys, however deep, and nothing else', () => {
    const value = { 'a\0': [1, null, true, { b: '\ud83d', c: undefined }] };
    expect(storableJson(value)).toMatchObject({
      value: { 'a\uFFFD': [1, null, true, { b: '\uFFFD' }] },
    });
  });
});
