/**
 * Pages: `limit` and an opaque `cursor` in, `next_cursor` and a `Link` (RFC 8288) out. A cursor is
 * the last id shown, signed together with the path and the filters it belongs to, so that it can be
 * neither forged nor carried to another list.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import type { RequestContext } from './context.ts';
import { PROBLEMS, Problem } from './problems.ts';
import type { Reply } from './route.ts';

const ID_BYTES = 16;
const MAC_BYTES = 16;
const MAX_LIMIT = 500;

/** Makes and opens cursors. */
export type Cursors = {
  /** @param list what the cursor belongs to: path and filters */
  readonly seal: (list: string, lastId: string) => string;
  /** @throws Problem invalid-cursor when it was not made for this list */
  readonly open: (list: string, cursor: string) => string;
};

/** @param key 32 bytes, the same on every replica */
export const createCursors = (key: Buffer): Cursors => {
  const sign = (list: string, id: Buffer): Buffer =>
    createHmac('sha256', key)
      .update(JSON.stringify([list, id.toString('hex')]))
      .digest()
      .subarray(0, MAC_BYTES);
  return {
    seal: (list, lastId) => {
      const id = Buffer.from(lastId.replaceAll('-', ''), 'hex');
      return Buffer.concat([id, sign(list, id)]).toString('base64url');
    },
    open: (list, cursor) => {
      const bytes = Buffer.from(cursor, 'base64url');
      const id = bytes.subarray(0, ID_BYTES);
      const mac = bytes.subarray(ID_BYTES);
      if (mac.length !== MAC_BYTES || !timingSafeEqual(mac, sign(list, id))) {
        throw new Problem(
          PROBLEMS.invalidCursor,
          'The cursor was not made for this list with these filters. Start again without one.',
        );
      }
      return id.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    },
  };
};

/** The query parameters of every list. */
export const PageQuery = z.strictObject({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(MAX_LIMIT)
    .default(50)
    .describe(`How many items a page holds; at most ${MAX_LIMIT}.`),
  cursor: z.string().max(100).optional().describe('The next_cursor of the page before.'),
});

/** The answer's shape for a list of these items. */
export const pageOf = <Item extends z.ZodType>(item: Item, id: string) =>
  z
    .strictObject({ items: z.array(item), next_cursor: z.string().nullable() })
    .meta({ id: `${id}Page` });

/** What a list's query is asked: at most `take` rows whose id is after `after`, ordered by id. */
export type PageRequest = { readonly after: string | null; readonly take: number };

type ListQuery = { readonly limit: number; readonly cursor?: string | undefined } & Readonly<
  Record<string, unknown>
>;

/**
 * Answers one page of a list.
 *
 * @param read reads one row more than the page shows, to know whether there is a next one
 * @param idOf the id (UUID) that rows are ordered by
 * @throws Problem invalid-cursor
 */
export const answerPage = async <Row, Item>(
  context: RequestContext,
  query: ListQuery,
  list: {
    readonly read: (page: PageRequest) => Promise<readonly Row[]>;
    readonly idOf: (row: Row) => string;
    readonly toItem: (row: Row) => Item;
  },
): Promise<{ status: 200; body: { items: Item[]; next_cursor: string | null } } & Reply> => {
  const { limit, cursor, ...filters } = query;
  const name = JSON.stringify([context.path, Object.entries(filters).sort()]);
  const after = cursor === undefined ? null : context.cursors.open(name, cursor);
  const rows = await list.read({ after, take: limit + 1 });
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next = rows.length > limit && last ? context.cursors.seal(name, list.idOf(last)) : null;
  const parameters = new URLSearchParams({ limit: `${limit}`, cursor: next ?? '' });
  for (const [key, value] of Object.entries(filters)) {
    if (value !== undefined) parameters.set(key, String(value));
  }
  return {
    status: 200,
    body: { items: shown.map(list.toItem), next_cursor: next },
    headers: next === null ? {} : { Link: `<${context.path}?${parameters}>; rel="next"` },
  };
};
