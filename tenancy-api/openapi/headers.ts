import { IDEMPOTENCY_HOURS } from '#domain/retention.ts';
import type { Route } from '../route.ts';
import type { JsonObject } from './json-schema.ts';

const REQUEST_ID = '0199f3a1-7c3a-7b21-9e4d-5a6b7c8d9e00';

/** Headers of answers that many operations share, by name: what they hold, and how that looks. */
const ANSWER_HEADERS: Readonly<Record<string, { schema: JsonObject; example: unknown }>> = {
  ETag: { schema: { type: 'string', pattern: '^"\\d+"$' }, example: '"3"' },
  Location: {
    schema: { type: 'string', format: 'uri-reference' },
    example: '/v1/tasks/task_01k7swf73mfcgsemtta9fgwa0s',
  },
  'Retry-After': { schema: { type: 'string', pattern: '^\\d+$' }, example: '1' },
  Link: {
    schema: { type: 'string' },
    example: '</v1/workspaces?limit=50&cursor=AZnzoXw6>; rel="next"',
  },
  'Preference-Applied': { schema: { type: 'string' }, example: 'wait=30' },
};

/** A header of an answer. */
export const toAnswerHeader = (name: string, description: string): JsonObject => ({
  description,
  ...(ANSWER_HEADERS[name] ?? { schema: { type: 'string' } }),
});

/** The headers that an answer may carry because of what the route is. */
export const listImpliedHeaders = (route: Route): Record<string, string> => ({
  ...(route.query && 'cursor' in route.query.shape && { Link: LINK }),
  ...(route.method === 'POST' && {
    'Idempotent-Replayed': '`true` when this is the stored answer to an earlier request.',
  }),
  ...(route.deprecation && {
    Deprecation: 'Since when the operation is deprecated (RFC 9745).',
    ...(route.deprecation.sunset && { Sunset: 'When the operation ends (RFC 8594).' }),
  }),
});

const LINK = 'The next page, with `rel="next"` (RFC 8288); absent on the last.';

/** The header that every answer carries. */
export const requestIdHeader: JsonObject = {
  description: 'The id under which the request is logged.',
  schema: { type: 'string' },
  example: REQUEST_ID,
};

/**
 * Parameters that operations share; they stand once, under `components`. Without examples, because the
 * reference page would send those.
 */
export const HEADER_PARAMETERS = {
  RequestId: {
    name: 'X-Request-Id',
    in: 'header',
    description:
      'Names the request in answers and logs. One in another form than 1 to 64 letters, digits, ".", "_" and "-" is replaced.',
    schema: { type: 'string' },
  },
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    description: `A text of your choice, such as a UUID in double quotes. The same request with the same key is carried out once, and answered alike for ${IDEMPOTENCY_HOURS} hours.`,
    schema: { type: 'string', pattern: '^("[ !#-\\[\\]-~]{1,255}"|[!#-~]{1,255})$' },
  },
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    required: true,
    description:
      'The `ETag` of what you have seen, such as `"3"`; `*` changes it whatever it is now (RFC 9110 §13.1.1).',
    schema: { type: 'string', minLength: 1 },
  },
  Prefer: {
    name: 'Prefer',
    in: 'header',
    description:
      '`wait=N` holds the answer back until it is final, at most N seconds and at most 30 (RFC 7240).',
    schema: { type: 'string' },
  },
} as const satisfies Record<string, JsonObject>;

/** References to the header parameters that a route takes. */
export const listHeaderParameters = ({ method, ifMatch, waitsFor }: Route): JsonObject[] => {
  const names: (keyof typeof HEADER_PARAMETERS)[] = [
    ...(method === 'POST' ? (['IdempotencyKey'] as const) : []),
    ...(ifMatch ? (['IfMatch'] as const) : []),
    ...(waitsFor ? (['Prefer'] as const) : []),
    'RequestId',
  ];
  return names.map((name) => ({ $ref: `#/components/parameters/${name}` }));
};
