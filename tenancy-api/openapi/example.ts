/**
 * Examples from JSON Schema, the same at each run: a schema's own example where it has one, else one put
 * together from its parts.
 */
import { EXAMPLE_IDS } from './example-id.ts';
import type { JsonObject } from './json-schema.ts';
import { NAMED_EXAMPLES } from './named-examples.ts';

const REFERENCE = '#/components/schemas/';

const FORMATS: Readonly<Record<string, string>> = {
  'date-time': '2026-03-01T09:30:00.000Z',
  uri: 'https://example.com/',
  email: 'grace@example.com',
};

/** What is shown for a text whose schema says too little, by the name of its field. */
const TEXTS: Readonly<Record<string, string>> = {
  name: 'web',
  slug: 'web',
  display_name: 'Web',
  description: 'What it is for.',
  detail: 'What is wrong, and what to do.',
  message: 'As it should be.',
  reason: 'AsExpected',
  connector: 'google',
  subject: '110248495921238986420',
  currency: 'EUR',
  namespace: 'web',
};

/**
 * An example of a schema.
 *
 * @param schemas the named schemas that it may refer to
 * @param field the name of the field that holds it
 */
export const toExample = (schema: JsonObject, schemas: JsonObject, field = ''): unknown => {
  const { $ref, examples, anyOf, oneOf, allOf } = schema;
  if (typeof $ref === 'string') {
    return toNamedExample($ref.slice(REFERENCE.length), { schemas, field });
  }
  if (Array.isArray(examples) && examples.length > 0) return examples[0];
  if ('const' in schema) return schema['const'];
  if ('default' in schema) return schema['default'];
  if (Array.isArray(schema['enum'])) return schema['enum'][0];
  const alternatives = anyOf ?? oneOf;
  if (Array.isArray(alternatives)) return toExample(alternatives[0], schemas, field);
  if (Array.isArray(allOf)) return toExample(allOf[0], schemas, field);
  return toExampleOfType(schema, schemas, field);
};

/** What its own example leaves out, such as other named shapes, is put together. */
const toNamedExample = (
  name: string,
  { schemas, field }: { readonly schemas: JsonObject; readonly field: string },
): unknown => {
  const example = toExample(schemas[name] as JsonObject, schemas, field);
  const own = NAMED_EXAMPLES[name];
  return own ? { ...(example as JsonObject), ...own } : example;
};

const toExampleOfType = (schema: JsonObject, schemas: JsonObject, field: string): unknown => {
  switch (schema['type']) {
    case 'object':
      return toExampleObject(schema, schemas);
    case 'array': {
      const items = schema['items'] as JsonObject | undefined;
      return items ? [toExample(items, schemas, field)] : [];
    }
    case 'string':
      return toExampleText(schema, field);
    case 'integer':
    case 'number':
      return Math.max(1, Number(schema['minimum'] ?? 1));
    case 'boolean':
      return false;
    default:
      return null;
  }
};

const toExampleObject = (schema: JsonObject, schemas: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries((schema['properties'] as Record<string, JsonObject> | undefined) ?? {}).map(
      ([name, property]) => [name, toExample(property, schemas, name)],
    ),
  );

const toExampleText = ({ pattern, format }: JsonObject, field: string): string =>
  EXAMPLE_IDS.get(String(pattern)) ?? FORMATS[String(format)] ?? TEXTS[field] ?? 'text';
