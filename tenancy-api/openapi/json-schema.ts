import * as z from 'zod';

/** Something of JSON, as the document is built from. */
export type JsonObject = Record<string, unknown>;

/** Whether a schema describes what callers send, or what they are answered. */
export type Direction = 'input' | 'output';

/** Describes a schema in JSON Schema; what has a name becomes a reference to `components`. */
export type Describe = (schema: z.ZodType, direction: Direction) => JsonObject;

/** Describes schemas, collecting the named ones in `schemas`, each once. */
export const createDescribe =
  (schemas: JsonObject): Describe =>
  (schema, direction) => {
    const { $defs, $schema: _, ...json } = toJsonSchema(schema, direction);
    for (const [id, definition] of Object.entries(($defs as JsonObject | undefined) ?? {})) {
      schemas[id] = withoutId(definition as JsonObject);
    }
    const { id: named, examples } = schema.meta() ?? {};
    const isReference = '$ref' in json;
    // zod leaves them out of what it transforms, as identifiers are; ours are as callers send them.
    if (examples !== undefined) {
      Object.assign(isReference ? (schemas[named ?? ''] as JsonObject) : json, { examples });
    }
    // A schema that its own definition refers to comes as a reference already.
    if (named === undefined || isReference) return json;
    schemas[named] = withoutId(json);
    return { $ref: `#/components/schemas/${named}` };
  };

const toJsonSchema = (schema: z.ZodType, io: Direction): JsonObject =>
  JSON.parse(
    JSON.stringify(z.toJSONSchema(schema, { io, unrepresentable: 'any' })).replaceAll(
      '#/$defs/',
      '#/components/schemas/',
    ),
  );

const withoutId = ({ id: _, ...rest }: JsonObject): JsonObject => rest;

/** Whether a value may be left out. */
export const isOptional = (schema: z.ZodType): boolean => schema.safeParse(undefined).success;
