/** What is said about an invalid field, in plain words; a schema's own message goes before these. */
import type * as z from 'zod';

const TYPES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'an array',
  object: 'an object',
  record: 'an object',
  null: 'null',
};

const UNITS: Readonly<Record<string, string>> = {
  string: 'characters',
  array: 'items',
  set: 'items',
  map: 'entries',
};

const FORMATS: Readonly<Record<string, string>> = {
  datetime: 'a time as in RFC 3339, such as 2030-01-31T12:00:00Z',
  url: 'a URL',
  uuid: 'a UUID',
  email: 'an e-mail address',
};

const limit = (least: boolean, { origin, bound }: { origin: string; bound: unknown }): string => {
  const unit = UNITS[origin];
  const size = `${least ? 'at least' : 'at most'} ${bound}`;
  return unit ? `It must have ${size} ${unit}.` : `It must be ${size}.`;
};

/** An error map for zod: the message for one issue, or `undefined` to leave it as it is. */
export const toMessage: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? 'This field is required.'
        : `It must be ${TYPES[issue.expected] ?? issue.expected}.`;
    case 'invalid_value':
      return issue.values.length === 1
        ? `It must be ${JSON.stringify(issue.values[0])}.`
        : `It must be one of ${issue.values.map((value) => JSON.stringify(value)).join(', ')}.`;
    case 'too_small':
      return limit(true, { origin: issue.origin, bound: issue.minimum });
    case 'too_big':
      return limit(false, { origin: issue.origin, bound: issue.maximum });
    case 'invalid_format':
      return issue.format === 'regex'
        ? `It must match ${issue.pattern}.`
        : `It must be ${FORMATS[issue.format] ?? `a valid ${issue.format}`}.`;
    case 'invalid_union':
      return 'It has none of the shapes that are allowed here.';
    default:
      return undefined;
  }
};
