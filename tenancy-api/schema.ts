/** Shapes that several nouns share. */
import * as z from 'zod';
import { type IdentifierKind, idPattern, PREFIXES, parseId } from '#domain/identifiers.ts';
import { oldTokensUntil } from '#domain/staleness.ts';

const toWords = (kind: IdentifierKind): string =>
  kind.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

const describeId = (kind: IdentifierKind): string =>
  `The id of ${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${toWords(kind)}.`;

/** A public identifier in an answer. */
export const Id = (kind: IdentifierKind) =>
  z.string().regex(idPattern(kind)).describe(describeId(kind));

/**
 * A reference to something by its public identifier, in a request. Becomes the UUID. What has the wrong
 * shape is refused as such; what is well-formed and foreign or unknown is, to the caller, not there.
 */
export const Reference = (kind: IdentifierKind) =>
  z
    .string()
    .regex(idPattern(kind), { message: `Give its id, ${PREFIXES[kind]}_….`, abort: true })
    .describe(describeId(kind))
    // The pattern admits only what is parsed.
    .transform((text) => parseId(kind, text) as string);

/** A moment: RFC 3339, UTC. */
export const Timestamp = z.iso.datetime();

/** When something ends by itself, in a request: RFC 3339 with any offset. */
export const FutureTimestamp = z.iso
  .datetime({ offset: true, abort: true })
  .refine((text) => Date.parse(text) > Date.now(), 'Must be in the future.');

// Spelled out, because not every reader of the OpenAPI document knows Unicode properties in patterns.
const CONTROL = '\\u0000-\\u001f\\u007f-\\u009f';
const INVISIBLE = `${CONTROL}\\u00ad\\u061c\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060\\u2066-\\u2069\\ufeff`;

/**
 * Text that isn't blank and has none of these characters. Blanks at the front can match in one way only,
 * so that it takes as long as the text is.
 */
export const toLinePattern = (refused: string): RegExp =>
  new RegExp(`^ *[^\\s${refused}][^${refused}]*$`);

/** A name for people: 1 to 100 characters, none of them a control or direction character. */
export const DisplayName = z
  .string()
  .max(100, { abort: true })
  .trim()
  .min(1)
  .regex(
    toLinePattern(INVISIBLE),
    'Control, line-breaking and direction characters are not allowed, nor spaces alone.',
  );

/** What made a membership, when nobody gave it. */
export const MappingId = Id('groupMapping')
  .nullable()
  .describe(
    'The mapping of an upstream group that makes this membership and ends it; null: somebody gave it.',
  );

/** When a change of memberships shows in tokens. */
export const tokenTimes = {
  new_tokens_from: Timestamp.describe('ID tokens issued from now on carry the change.'),
  old_tokens_until: Timestamp.describe(
    'The last moment at which a token issued before the change can still be accepted. Open streams (exec, watch, port-forward) and ServiceAccount tokens that a person made outlive it.',
  ),
};

/** When a change that is made now shows in tokens. */
export const toTokenTimes = (): { new_tokens_from: string; old_tokens_until: string } => {
  const now = new Date();
  return {
    new_tokens_from: now.toISOString(),
    old_tokens_until: oldTokensUntil(now).toISOString(),
  };
};

/** An answer that says no more than when the change shows in tokens. */
export const TokenTimes = z.strictObject(tokenTimes).meta({ id: 'TokenTimes' });

/** Who signs in: an identity provider's id in the issuer's configuration. */
export const ConnectorName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9-]{0,62}$/,
    'A connector name has 1 to 63 lower-case letters, digits or "-".',
  );

/** The subject that an identity provider gives a person; compared to the byte. */
export const ConnectorSubject = z
  .string()
  .min(1)
  .max(255)
  .regex(new RegExp(`^[^${CONTROL}]*$`), 'Control characters are not allowed.');

/** Headers of an answer that something goes on after. */
export const taskHeaders = {
  Location: 'The task, at /v1/tasks/{task}.',
  'Retry-After': 'When to ask for the task, in seconds.',
} as const;

/** Headers of an answer that can be waited for. */
export const waitHeaders = {
  'Retry-After': 'While the task is unfinished: when to ask again, in seconds.',
  'Preference-Applied': 'The wait that was granted (RFC 7240).',
} as const;
