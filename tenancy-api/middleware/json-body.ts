import type { Context } from 'koa';
import getRawBody from 'raw-body';
import { PROBLEMS, Problem } from '../problems.ts';

/**
 * Reads a request's body as JSON (RFC 8259).
 *
 * @param limit in bytes; nothing beyond it is kept
 * @throws Problem body-too-large, unsupported-media-type, malformed-json
 */
export const readJsonBody = async (ctx: Context, limit: number): Promise<unknown> => {
  if (ctx.request.type !== 'application/json' || ctx.get('Content-Encoding') !== '') {
    throw new Problem(
      PROBLEMS.unsupportedMediaType,
      'Send the body with "Content-Type: application/json" and without a Content-Encoding.',
    );
  }
  return parseJson(await readBytes(ctx, limit));
};

const readBytes = async (ctx: Context, limit: number): Promise<Buffer> => {
  try {
    const length = ctx.get('Content-Length');
    return await getRawBody(ctx.req, { limit, length: length === '' ? null : length });
  } catch (error) {
    if ((error as { type?: unknown }).type === 'entity.too.large') {
      throw new Problem(
        PROBLEMS.bodyTooLarge,
        `The body of this request may have at most ${limit} bytes.`,
      );
    }
    throw malformed('The body ended before its end.', error);
  }
};

const parseJson = (bytes: Buffer): unknown => {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    value = JSON.parse(text);
  } catch (error) {
    throw malformed(`The body can’t be read as JSON in UTF-8${toPlace(error)}.`, error);
  }
  // PostgreSQL stores neither NUL nor half a surrogate pair; in JSON only an escape can hold them.
  if (/\\u(0000|d[89a-f])/i.test(text)) refuseUnstorable(value);
  return value;
};

/** Where the parser stopped; what it quotes from the body is left out. */
const toPlace = (error: unknown): string => {
  const place = /\(line (\d+) column (\d+)\)/.exec(error instanceof Error ? error.message : '');
  return place ? `: see line ${place[1]}, column ${place[2]}` : '';
};

/** Without recursion: the depth is the caller's to choose. */
const refuseUnstorable = (value: unknown): void => {
  const rest = [value];
  while (rest.length > 0) {
    const next = rest.pop();
    if (typeof next === 'string' && (next.includes('\0') || !next.isWellFormed())) {
      throw malformed('A text in the body has a NUL character or half a surrogate pair.');
    }
    if (typeof next === 'object' && next !== null) {
      for (const [key, member] of Object.entries(next)) rest.push(key, member);
    }
  }
};

const malformed = (detail: string, cause?: unknown): Problem =>
  new Problem(PROBLEMS.malformedJson, detail, { cause });
