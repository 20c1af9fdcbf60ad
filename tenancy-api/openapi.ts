/** The OpenAPI 3.1 document, made from the routes and the schemas that validate them. */
import * as z from 'zod';
import { idPattern } from '#domain/identifiers.ts';
import { PROBLEMS } from './problems.ts';
import { PATH_IDENTIFIERS, type ResponseSpec, type Route } from './route.ts';

type JsonObject = Record<string, unknown>;

/** The body of every problem response (RFC 9457). */
const ProblemDetails = z
  .strictObject({
    type: z
      .url()
      .describe('Which problem it is.')
      .meta({
        examples: Object.values(PROBLEMS).map((problem) => problem.type),
      }),
    title: z.string(),
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

/** Describes routes; named schemas stand once, under components. */
export const createOpenApiDocument = (routes: readonly Route[]): JsonObject => {
  const schemas: JsonObject = {};
  const describe = (schema: z.ZodType, io: 'input' | 'output') => toSchema(schema, io, schemas);
  describe(ProblemDetails, 'output');
  const paths: Record<string, JsonObject> = {};
  for (const route of routes) {
    const operation = toOperation(route, describe);
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Hexabase KaaS tenancy API',
      version: '1',
      description: 'Organizations, workspaces and who may do what in them.',
    },
    paths,
    components: {
      schemas,
      responses: { Problem: problemResponse },
      securitySchemes: {
        accessToken: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'An access token of the issuer for this API (RFC 9068).',
        },
      },
    },
    security: [{ accessToken: [] }],
  };
};

type Describe = (schema: z.ZodType, io: 'input' | 'output') => JsonObject;

const toSchema = (schema: z.ZodType, io: 'input' | 'output', schemas: JsonObject): JsonObject => {
  const named = schema.meta()?.id;
  const {
    $defs,
    $schema: _,
    ...json
  } = JSON.parse(
    JSON.stringify(z.toJSONSchema(schema, { io, unrepresentable: 'any' })).replaceAll(
      '#/$defs/',
      '#/components/schemas/',
    ),
  ) as JsonObject;
  Object.assign(schemas, withoutIds($defs as JsonObject | undefined));
  // A schema that its own definition refers to comes as a reference already.
  if (named === undefined || '$ref' in json) return json;
  schemas[named] = withoutId(json);
  return { $ref: `#/components/schemas/${named}` };
};

const withoutIds = (definitions: JsonObject = {}): JsonObject =>
  Object.fromEntries(Object.entries(definitions).map(([id, json]) => [id, withoutId(json)]));

const withoutId = (json: unknown): JsonObject => {
  const { id: _, ...rest } = json as JsonObject;
  return rest;
};

const problemResponse = {
  description: 'A problem (RFC 9457).',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};

const toOperation = (route: Route, describe: Describe): JsonObject => ({
  operationId: toOperationId(route),
  summary: route.summary,
  ...(route.permission === 'public' && { security: [] }),
  parameters: [...toPathParameters(route), ...toQueryParameters(route, describe)],
  ...(route.body && {
    requestBody: {
      required: !isOptional(route.body),
      content: { 'application/json': { schema: describe(route.body, 'input') } },
    },
  }),
  responses: {
    ...Object.fromEntries(
      Object.entries(route.responses).map(([status, spec]) => [status, toResponse(spec, describe)]),
    ),
    ...Object.fromEntries(
      listProblemStatuses(route).map((status) => [
        status,
        { $ref: '#/components/responses/Problem' },
      ]),
    ),
  },
});

const toOperationId = ({ method, path }: Route): string =>
  `${method.toLowerCase()}${path
    .replace(/^\/v1/, '')
    .replace(/[^a-zA-Z0-9]+(.)?/g, (_, letter: string = '') => letter.toUpperCase())}`;

const toPathParameters = ({ path }: Route): JsonObject[] =>
  Array.from(path.matchAll(/\{(\w+)\}/g), ([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: {
      type: 'string',
      pattern: idPattern(PATH_IDENTIFIERS[name as keyof typeof PATH_IDENTIFIERS]).source,
    },
  }));

const isOptional = (schema: z.ZodType): boolean => schema.safeParse(undefined).success;

const toQueryParameters = ({ query }: Route, describe: Describe): JsonObject[] =>
  Object.entries(query?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    required: !isOptional(schema as z.ZodType),
    schema: describe(schema as z.ZodType, 'output'),
  }));

const toResponse = (spec: ResponseSpec, describe: Describe): JsonObject => ({
  description: spec.description,
  ...(spec.headers && {
    headers: Object.fromEntries(
      Object.entries(spec.headers).map(([name, description]) => [
        name,
        { description, schema: { type: 'string' } },
      ]),
    ),
  }),
  ...(spec.body && {
    content: { [spec.type ?? 'application/json']: { schema: describe(spec.body, 'output') } },
  }),
});

const listProblemStatuses = (route: Route): number[] => [
  400,
  ...(route.permission === 'public' ? [] : [401, 403, 503]),
  ...(route.path.includes('{') ? [404] : []),
  ...(route.method === 'GET' ? [] : [409]),
  ...(route.body ? [413, 415, 422] : []),
  500,
];
