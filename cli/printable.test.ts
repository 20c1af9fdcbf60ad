import { describe, expect, it } from 'vitest';
import { toPrintable } from './printable.ts';

describe('toPrintable', () => {
  it.each([
    [
      'what people read',
      'the namespace “größe” 名前 \u{1F600}',
      'the namespace “größe” 名前 \u{1F600}',
    ],
    ['a sequence that clears the screen', '\u001b[2J', '\ufffd[2J'],
    ['one of 8 bits', '\u009b2J', '\ufffd2J'],
    ['a line end', 'a\r\nb', 'a\ufffd\ufffdb'],
    ['what turns a line round', 'a\u202eb', 'a\ufffdb'],
  ])('prints %s', (_name, line, expected) => {
    expect(toPrintable(line)).toBe(expected);
  });
});
