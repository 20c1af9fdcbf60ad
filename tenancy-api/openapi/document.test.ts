import { describe, expect, it } from 'vitest';
import type * as z from 'zod';
import { PATH_IDENTIFIERS } from '../route.ts';
import { OPENAPI_DOCUMENT, ROUTES } from '../routes.ts';
import { NAMED_EXAMPLES } from './named-examples.ts';
import { TAG_LIST } from './tags.ts';

type Operation = {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly parameters: readonly { readonly in?: string; readonly name: string }[];
  readonly responses: Readonly<Record<string, { $ref?: string; content?: Content }>>;
  readonly requestBody?: { readonly content: Content };
};
type Content = Readonly<Record<string, { readonly schema: object; readonly example?: unknown }>>;

const paths = OPENAPI_DOCUMENT['paths'] as Record<string, Record<string, Operation>>;
const operations = ROUTES.map((route) => {
  const operation = paths[route.path]?.[route.method.toLowerCase()];
  if (!operation) throw new Error(`${route.method} ${route.path} is not documented`);
  return { name: `${route.method} ${route.path}`, route, operation };
});

describe('the document', () => {
  it('has every route once, and nothing else', () => {
    const documented = Object.values(paths).flatMap((item) => Object.values(item));
    expect(documented).toHaveLength(ROUTES.length);
    expect(new Set(documented.map(({ operationId }) => operationId)).size).toBe(ROUTES.length);
  });

  it('refers only to what it defines', () => {
    const text = JSON.stringify(OPENAPI_DOCUMENT);
    for (const [, pointer = ''] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      const target = pointer
        .split('/')
        .reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], OPENAPI_DOCUMENT);
      expect(target, pointer).toBeDefined();
    }
    expect(text).not.toContain('$defs');
  });

  it('has a chapter for each operation, and an operation in each chapter', () => {
    const used = new Set(operations.flatMap(({ operation }) => operation.tags));
    expect([...used].toSorted()).toEqual(TAG_LIST.map(({ name }) => name).toSorted());
  });

  it('shows no shape that it does not have', () => {
    const { schemas } = OPENAPI_DOCUMENT['components'] as { schemas: object };
    expect(Object.keys(schemas)).toEqual(expect.arrayContaining(Object.keys(NAMED_EXAMPLES)));
  });

  it('knows the kind of every identifier in a path', () => {
    for (const { name, route, operation } of operations) {
      const names = Array.from(route.path.matchAll(/\{(\w+)\}/g), ([, parameter]) => parameter);
      const inPath = operation.parameters.filter((each) => each.in === 'path');
      expect(
        inPath.map((each) => each.name),
        name,
      ).toEqual(names);
      for (const each of names) expect(PATH_IDENTIFIERS, name).toHaveProperty([String(each)]);
    }
  });
});

describe.each(operations)('$name', ({ route, operation }) => {
  it('says what each parameter of its query does', () => {
    const inQuery = operation.parameters.filter((each) => each.in === 'query');
    for (const parameter of inQuery) expect(parameter).toHaveProperty('description');
  });

  it('says who may call it', () => {
    expect(operation.summary).not.toBe('');
    expect(operation.description).toMatch(/Needs|Open to everyone/);
  });

  it('shows a body that the API takes', () => {
    if (!route.body) return;
    const { example } = operation.requestBody?.content['application/json'] ?? {};
    expect(route.body.safeParse(example)).toMatchObject({ success: true });
  });

  it('shows answers that the API can give', () => {
    for (const [status, { body, type = 'application/json' }] of Object.entries(route.responses)) {
      const schema: z.ZodType | undefined = body;
      if (!schema) continue;
      const { example } = operation.responses[status]?.content?.[type] ?? {};
      expect(schema.safeParse(example), JSON.stringify(example)).toMatchObject({ success: true });
    }
  });
});
