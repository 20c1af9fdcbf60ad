/** What others wrote, as PostgreSQL can hold it: its text and jsonb take neither U+0000 nor half a character. */
import { type SerializableValue, sql } from 'slonik';

/**
 * The text with U+FFFD for what can't be stored.
 *
 * @param longest in UTF-16 code units; a character that would be cut in two is lost
 */
export const toStorableText = (text: string, longest = Number.POSITIVE_INFINITY): string =>
  text.slice(0, longest).replaceAll('\0', '\uFFFD').toWellFormed();

/** A JSON value for jsonb, its keys and texts made storable. */
export const storableJson = (value: unknown) => sql.jsonb(toStorable(value));

const toStorable = (value: unknown): SerializableValue =>
  JSON.parse(JSON.stringify(value), (_key, each: unknown) => {
    if (typeof each === 'string') return toStorableText(each);
    if (typeof each !== 'object' || each === null || Array.isArray(each)) return each;
    return Object.fromEntries(
      Object.entries(each).map(([key, inner]) => [toStorableText(key), inner]),
    );
  }) as SerializableValue;
