import type * as z from 'zod';
import { idPattern } from '#domain/identifiers.ts';
import { PATH_IDENTIFIERS, type ResponseSpec, type Route } from '../route.ts';
import { toExample } from './example.ts';
import { exampleId } from './example-id.ts';
import { listHeaderParameters, listImpliedHeaders, toAnswerHeader } from './headers.ts';
import { type Describe, isOptional, type JsonObject } from './json-schema.ts';
import { describePermission, toNeeds } from './permission.ts';
import { toProblemResponses } from './problem-responses.ts';
import { listProblems } from './route-problems.ts';
import { toTag } from './tags.ts';

/** Where an operation puts what it shares with others, and how it describes schemas. */
export type OperationDeps = {
  readonly describe: Describe;
  readonly schemas: JsonObject;
  readonly responses: JsonObject;
};

/** Describes a route as an OpenAPI operation. */
export const toOperation = (route: Route, deps: OperationDeps): JsonObject => ({
  operationId: toOperationId(route),
  tags: [toTag(route.path)],
  summary: route.summary,
  description: toDescription(route),
  ...(route.deprecation && { deprecated: true }),
  ...(route.permission === 'public' && { security: [] }),
  'x-permission': toNeeds(route.permission),
  parameters: [
    ...toPathParameters(route),
    ...toQueryParameters(route, deps),
    ...listHeaderParameters(route),
  ],
  ...(route.body && { requestBody: toRequestBody(route.body, deps) }),
  responses: {
    ...Object.fromEntries(
      Object.entries(route.responses).map(([status, spec]) => [
        status,
        toResponse(spec, { route, deps }),
      ]),
    ),
    ...toProblemResponses(listProblems(route), deps.responses),
  },
});

const toOperationId = ({ method, path }: Route): string =>
  `${method.toLowerCase()}${path
    .replace(/^\/v1/, '')
    .replace(/[^a-zA-Z0-9]+(.)?/g, (_, letter: string = '') => letter.toUpperCase())}`;

const toDescription = (route: Route): string =>
  [
    route.description,
    describePermission(route.permission),
    route.dryRun &&
      'With `dry_run=true` everything is done, answered with 200 and taken back: nothing stays.',
    route.ifMatch && 'Send the `ETag` that you have read as `If-Match`.',
  ]
    .filter((part) => typeof part === 'string')
    .join('\n\n');

const toPathParameters = ({ path }: Route): JsonObject[] =>
  Array.from(path.matchAll(/\{(\w+)\}/g), ([, name = '']) => {
    const kind = PATH_IDENTIFIERS[name as keyof typeof PATH_IDENTIFIERS];
    return {
      name,
      in: 'path',
      required: true,
      schema: { type: 'string', pattern: idPattern(kind).source },
      example: exampleId(kind),
    };
  });

const toQueryParameters = ({ query, dryRun }: Route, { describe }: OperationDeps): JsonObject[] => [
  ...Object.entries(query?.shape ?? {}).map(([name, value]) => {
    const { description, ...schema } = describe(value as z.ZodType, 'output');
    const required = !isOptional(value as z.ZodType);
    return { name, in: 'query', required, ...(description ? { description } : {}), schema };
  }),
  ...(dryRun ? [{ $ref: '#/components/parameters/DryRun' }] : []),
];

const toRequestBody = (body: z.ZodType, { describe, schemas }: OperationDeps): JsonObject => {
  const schema = describe(body, 'input');
  const example = toExample(schema, schemas);
  return { required: !isOptional(body), content: { 'application/json': { schema, example } } };
};

const toResponse = (
  spec: ResponseSpec,
  { route, deps }: { readonly route: Route; readonly deps: OperationDeps },
): JsonObject => ({
  description: spec.description,
  headers: {
    'X-Request-Id': { $ref: '#/components/headers/RequestId' },
    ...Object.fromEntries(
      Object.entries({ ...listImpliedHeaders(route), ...spec.headers }).map(
        ([name, description]) => [name, toAnswerHeader(name, description)],
      ),
    ),
  },
  ...(spec.body && {
    content: { [spec.type ?? 'application/json']: toContent(spec.body, deps) },
  }),
});

const toContent = (body: z.ZodType, { describe, schemas }: OperationDeps): JsonObject => {
  const schema = describe(body, 'output');
  return { schema, example: toExample(schema, schemas) };
};
