import { describe, expect, it } from 'vitest';
import { Quantity } from '#domain/quantity.ts';
import { DisplayName } from './schema.ts';

describe('DisplayName', () => {
  it.each([
    ['a', true],
    [' spaced ', true],
    ['名前 é', true],
    ['', false],
    ['   ', false],
    ['a\nb', false],
    ['x\u202ey', false],
    ['\u200b\u2060\u00ad', false],
    ['Hexabase\u200b Platform', false],
    ['a'.repeat(101), false],
  ])('%j: %s', (text, valid) => {
    expect(DisplayName.safeParse(text).success).toBe(valid);
  });
});

describe.each([
  ['DisplayName', DisplayName, `${'a'.repeat(300_000)}\u200e`],
  ['Quantity', Quantity, `${'1'.repeat(300_000)}x`],
])('%s', (_, schema, text) => {
  // With a pattern that tries every split this takes minutes, and the runner gives up.
  it('refuses a text of any length without looking at it for long', () => {
    expect(schema.safeParse(text).success).toBe(false);
  });
});
