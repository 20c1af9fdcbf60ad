import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createId } from '#domain/identifiers.ts';
import { createCursors } from './cursor.ts';
import { Problem } from './problems.ts';

const cursors = createCursors(Buffer.alloc(32, 1));

describe('createCursors', () => {
  it('opens what it sealed, for the same list alone', () => {
    const position = { id: createId(), name: 'Größe' };
    const cursor = cursors.seal('/v1/a', position);
    expect(cursors.open('/v1/a', cursor)).toEqual(position);
    expect(() => cursors.open('/v1/b', cursor)).toThrow(Problem);
    expect(() => createCursors(Buffer.alloc(32, 2)).open('/v1/a', cursor)).toThrow(Problem);
  });

  it('refuses every other text', () => {
    const cursor = cursors.seal('/v1/a', { id: createId(), name: 'a' });
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        fc.pre(text !== cursor);
        expect(() => cursors.open('/v1/a', text)).toThrow(Problem);
      }),
    );
  });

  it('refuses a cursor with any bit changed', () => {
    const bytes = Buffer.from(cursors.seal('/v1/a', { id: createId(), name: 'a' }), 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const forged = Buffer.from(bytes);
      forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => cursors.open('/v1/a', forged.toString('base64url'))).toThrow(Problem);
    }
  });
});
