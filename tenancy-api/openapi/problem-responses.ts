import * as z from 'zod';
import { PROBLEMS, type ProblemType } from '../problems.ts';
import { toAnswerHeader } from './headers.ts';
import type { JsonObject } from './json-schema.ts';

/** The body of every problem response (RFC 9457). */
export const ProblemDetails = z
  .strictObject({
    type: z.url().describe('Which problem it is; stable.'),
    title: z.string().describe('The same for every problem of this type.'),
    status: z.int(),
    detail: z.string().describe('What is wrong this time and, where one can, what to do.'),
    instance: z.string().describe('The path of the request.'),
    request_id: z.string().describe('To be found in the log; also in X-Request-Id.'),
    errors: z
      .array(
        z.strictObject({
          pointer: z.string().optional().describe('A place in the body (RFC 6901).'),
          parameter: z.string().optional().describe('A parameter of the query.'),
          detail: z.string(),
          suggestion: z.string().optional().describe('What would do instead.'),
        }),
      )
      .optional(),
  })
  .meta({ id: 'Problem' });

const HEADERS: readonly (readonly [ProblemType, string, string])[] = [
  [PROBLEMS.unauthenticated, 'WWW-Authenticate', 'How to authenticate (RFC 6750 §3).'],
  [PROBLEMS.invalidToken, 'WWW-Authenticate', 'What is wrong with the token (RFC 6750 §3.1).'],
  [PROBLEMS.idempotencyKeyInUse, 'Retry-After', 'When to send it again, in seconds.'],
  [PROBLEMS.issuerUnavailable, 'Retry-After', 'When to send it again, in seconds.'],
  [PROBLEMS.preconditionFailed, 'ETag', 'What it is now.'],
];

/**
 * The problem responses of an operation, by status, as references; the responses themselves are
 * collected under `components`, where operations with the same problems share them.
 */
export const toProblemResponses = (
  problems: readonly ProblemType[],
  responses: JsonObject,
): JsonObject => {
  const byStatus = Object.groupBy(problems, ({ status }) => status);
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, types = []]) => {
      const sorted = types.toSorted((a, b) => a.type.localeCompare(b.type));
      const name = sorted.map(toName).join('.');
      responses[name] ??= toProblemResponse(sorted);
      return [status, { $ref: `#/components/responses/${name}` }];
    }),
  );
};

const toName = ({ type }: ProblemType): string => type.slice(type.lastIndexOf('/') + 1);

const toProblemResponse = (types: readonly ProblemType[]): JsonObject => ({
  description: types
    .map(({ title, type }) => `${title} ([\`${toName({ type } as ProblemType)}\`](${type})).`)
    .join('\n\n'),
  headers: {
    'X-Request-Id': { $ref: '#/components/headers/RequestId' },
    ...Object.fromEntries(
      HEADERS.filter(([type]) => types.includes(type)).map(([, name, description]) => [
        name,
        toAnswerHeader(name, description),
      ]),
    ),
  },
  content: {
    'application/problem+json': {
      schema: {
        allOf: [
          { $ref: '#/components/schemas/Problem' },
          { properties: { type: { enum: types.map(({ type }) => type) } } },
        ],
      },
      examples: Object.fromEntries(
        types.map((type) => [toName(type), { summary: type.title, value: toProblemExample(type) }]),
      ),
    },
  },
});

const toProblemExample = ({ type, title, status }: ProblemType): JsonObject => ({
  type,
  title,
  status,
  detail: DETAILS[type] ?? 'What is wrong this time, and what to do.',
  instance: '/v1/workspaces/ws_01k7swf73mfcgsemtta9fgwa03',
  request_id: '0199f3a1-7c3a-7b21-9e4d-5a6b7c8d9e00',
  ...(type === PROBLEMS.invalidRequest.type && {
    errors: [{ pointer: '#/name', detail: 'Must have at least 1 character.' }],
  }),
});

const DETAILS: Readonly<Record<string, string>> = {
  [PROBLEMS.invalidRequest.type]: 'One thing in the request is not valid; see errors.',
  [PROBLEMS.notFound.type]: 'There is nothing here that you can see.',
  [PROBLEMS.unauthenticated.type]: 'Send an access token of the issuer: "Authorization: Bearer …".',
  [PROBLEMS.invalidToken.type]: 'It has expired.',
  [PROBLEMS.personSuspended.type]:
    'Your access to the platform is suspended. Ask its administrator.',
  [PROBLEMS.fault.type]: 'The fault has been logged under this request_id.',
};
