/** The OpenAPI 3.1 document, made from the routes and the schemas that validate them. */
import type { Route } from '../route.ts';
import { HEADER_PARAMETERS, requestIdHeader } from './headers.ts';
import { INTRODUCTION } from './introduction.ts';
import { createDescribe, type JsonObject } from './json-schema.ts';
import { toOperation } from './operation.ts';
import { ProblemDetails } from './problem-responses.ts';
import { TAG_LIST } from './tags.ts';

/** Describes routes. What they share stands once, under `components`. */
export const createOpenApiDocument = (routes: readonly Route[]): JsonObject => {
  const schemas: JsonObject = {};
  const responses: JsonObject = {};
  const describe = createDescribe(schemas);
  describe(ProblemDetails, 'output');
  const paths: Record<string, JsonObject> = {};
  for (const route of routes) {
    const operation = toOperation(route, { describe, schemas, responses });
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Hexabase KaaS tenancy API',
      version: '1',
      summary: 'Organizations, workspaces and who may do what in them.',
      description: INTRODUCTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'Where this description was read.' }],
    tags: TAG_LIST,
    paths,
    components: {
      schemas,
      responses,
      parameters: { ...HEADER_PARAMETERS, DryRun: dryRunParameter },
      headers: { RequestId: requestIdHeader },
      securitySchemes: {
        signIn: toSignInScheme('https://issuer.example.com'),
        accessToken: accessTokenScheme,
      },
    },
    // Two names for one thing: where a token comes from, and a token that one has already.
    security: [{ signIn: [API_SCOPE] }, { accessToken: [API_SCOPE] }],
  };
};

/**
 * The document as it is served: with the issuer that this installation's tokens come from.
 *
 * @param issuerUrl https origin, without a path
 */
export const withIssuer = (document: JsonObject, issuerUrl: string): JsonObject => {
  const components = document['components'] as { readonly securitySchemes: JsonObject };
  const securitySchemes = { ...components.securitySchemes, signIn: toSignInScheme(issuerUrl) };
  return { ...document, components: { ...components, securitySchemes } };
};

const API_SCOPE = 'api';

const toSignInScheme = (issuerUrl: string): JsonObject => ({
  type: 'openIdConnect',
  openIdConnectUrl: `${issuerUrl}/.well-known/openid-configuration`,
  description:
    'The platform’s OpenID provider. Ask it for the scope `api` and this API as resource.',
});

const dryRunParameter: JsonObject = {
  name: 'dry_run',
  in: 'query',
  required: false,
  description: 'Only says what would happen.',
  schema: { type: 'boolean', default: false },
};

// The roles array of a bearer scheme may name scopes since OpenAPI 3.1.
const accessTokenScheme: JsonObject = {
  type: 'http',
  scheme: 'bearer',
  bearerFormat: 'JWT',
  description:
    'An access token (RFC 9068) of the platform’s OpenID provider for this API, with the scope `api`. `hexabase get-token --token-type access_token --output token` signs you in and prints one.',
};
