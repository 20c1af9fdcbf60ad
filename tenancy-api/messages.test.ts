import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { toMessage } from './messages.ts';

const Shape = z.strictObject({
  name: z.string().min(2).max(4).optional(),
  names: z.array(z.string()).max(1).optional(),
  count: z.int().min(1).max(9).optional(),
  kind: z.enum(['a', 'b']).optional(),
  only: z.literal('x').optional(),
  at: z.iso.datetime().optional(),
  id: z.string().regex(/^x$/).optional(),
  said: z.string().regex(/^x$/, 'Say x.').optional(),
  either: z.union([z.string(), z.boolean()]).optional(),
  needed: z.string(),
});

describe('toMessage', () => {
  it.each([
    [{ needed: undefined }, 'This field is required.'],
    [{ needed: 1 }, 'It must be a string.'],
    [{ needed: null }, 'It must be a string.'],
    [{ name: 'a' }, 'It must have at least 2 characters.'],
    [{ name: 'abcde' }, 'It must have at most 4 characters.'],
    [{ names: ['a', 'b'] }, 'It must have at most 1 items.'],
    [{ count: 0 }, 'It must be at least 1.'],
    [{ count: 10 }, 'It must be at most 9.'],
    [{ count: 1.5 }, 'It must be a whole number.'],
    [{ kind: 'c' }, 'It must be one of "a", "b".'],
    [{ only: 'y' }, 'It must be "x".'],
    [{ at: 'noon' }, 'It must be a time as in RFC 3339, such as 2030-01-31T12:00:00Z.'],
    [{ id: 'y' }, 'It must match /^x$/.'],
    [{ said: 'y' }, 'Say x.'],
    [{ either: 1 }, 'It has none of the shapes that are allowed here.'],
  ])('says of %j: %s', (fields, message) => {
    const result = Shape.safeParse({ needed: 'x', ...fields }, { error: toMessage });
    expect(result.error?.issues.map((issue) => issue.message)).toEqual([message]);
  });
});
