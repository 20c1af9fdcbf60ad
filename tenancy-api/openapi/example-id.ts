import { formatId, type IdentifierKind, idPattern, PREFIXES } from '#domain/identifiers.ts';

const KINDS = Object.keys(PREFIXES) as IdentifierKind[];

/** An identifier to show, always the same for a kind. */
export const exampleId = (kind: IdentifierKind): string => {
  const last = KINDS.indexOf(kind).toString(16).padStart(2, '0');
  return formatId(kind, `0199f3a1-7c3a-7b21-9e4d-5a6b7c8d9e${last}`);
};

/** The source of an identifier's pattern → an identifier to show. */
export const EXAMPLE_IDS: ReadonlyMap<string, string> = new Map(
  KINDS.map((kind) => [idPattern(kind).source, exampleId(kind)]),
);
