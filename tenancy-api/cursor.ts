/**
 * Pages: `limit` and an opaque `cursor` in, `next_cursor` and a `Link` (RFC 8288) out. A cursor is
 * the last row's place, signed together with the path, the filters and the order it belongs to, so that
 * it can be neither forged nor carried to another list.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { type FragmentSqlToken, sql } from 'slonik';
import * as z from 'zod';
import type { RequestContext } from './context.ts';
import { PROBLEMS, Problem } from './problems.ts';
import type { Reply } from './route.ts';

const ID_BYTES = 16;
const MAC_BYTES = 16;
const MAX_LIMIT = 500;

/** Where a page ended: the last row's id (UUID), and its name in a list ordered by names. */
export type Position = { readonly id: string; readonly name: string };

/** Makes and opens cursors. */
export type Cursors = {
  /** @param list what the cursor belongs to: path, filters and order */
  readonly seal: (list: string, position: Position) => string;
  /** @throws Problem invalid-cursor when it was not made for this list */
  readonly open: (list: string, cursor: string) => Position;
};

/** @param key 32 bytes, the same on every replica */
export const createCursors = (key: Buffer): Cursors => {
  const sign = (list: string, position: Buffer): Buffer =>
    createHmac('sha256', key)
      .update(JSON.stringify([list, position.toString('hex')]))
      .digest()
      .subarray(0, MAC_BYTES);
  return {
    seal: (list, { id, name }) => {
      const position = Buffer.concat([
        Buffer.from(id.replaceAll('-', ''), 'hex'),
        Buffer.from(name, 'utf8'),
      ]);
      return Buffer.concat([sign(list, position), position]).toString('base64url');
    },
    open: (list, cursor) => {
      const bytes = Buffer.from(cursor, 'base64url');
      const mac = bytes.subarray(0, MAC_BYTES);
      const position = bytes.subarray(MAC_BYTES);
      if (position.length < ID_BYTES || !timingSafeEqual(mac, sign(list, position))) {
        throw new Problem(
          PROBLEMS.invalidCursor,
          'The cursor was not made for this list with these filters in this order. Start again without one.',
        );
      }
      const hex = position.subarray(0, ID_BYTES).toString('hex');
      return {
        id: hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
        name: position.subarray(ID_BYTES).toString('utf8'),
      };
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
  cursor: z.string().max(800).optional().describe('The next_cursor of the page before.'),
});

/** The query parameters of a list whose order can be chosen. */
export const SortedPageQuery = PageQuery.extend({
  sort: z
    .enum(['created_at', '-created_at', 'name', '-name'])
    .default('created_at')
    .describe('The order; with "-" descending. Names are compared without case.'),
});
type Sort = z.infer<typeof SortedPageQuery>['sort'];

/** The answer's shape for a list of these items. */
export const pageOf = <Item extends z.ZodType>(item: Item, id: string) =>
  z
    .strictObject({ items: z.array(item), next_cursor: z.string().nullable() })
    .meta({ id: `${id}Page` });

/** What a list's query is asked: at most `take` rows whose id is after `after`, ordered by id. */
export type PageRequest = { readonly after: string | null; readonly take: number };

/** What the query of a list is asked whose order can be chosen; see {@link toOrder}. */
export type SortedPageRequest = {
  readonly after: Position | null;
  readonly sort: Sort;
  readonly take: number;
};

/**
 * The order of a list in SQL, and the condition of being after the last row shown (keyset pagination:
 * a later page costs what the first does). By time means by id, which is a UUIDv7.
 */
export const toOrder = (
  { after, sort }: Pick<SortedPageRequest, 'after' | 'sort'>,
  { id, name }: { readonly id: FragmentSqlToken; readonly name: FragmentSqlToken },
): { readonly isAfter: FragmentSqlToken; readonly orderBy: FragmentSqlToken } => {
  const descending = sort.startsWith('-');
  const direction = descending ? sql.fragment`DESC` : sql.fragment`ASC`;
  const beyond = descending ? sql.fragment`<` : sql.fragment`>`;
  if (sort.endsWith('created_at')) {
    const orderBy = sql.fragment`${id} ${direction}`;
    return { orderBy, isAfter: after ? sql.fragment`${id} ${beyond} ${after.id}::uuid` : ANY_ROW };
  }
  const orderBy = sql.fragment`lower(${name}) ${direction}, ${id} ${direction}`;
  if (!after) return { orderBy, isAfter: ANY_ROW };
  const position = sql.fragment`(lower(${after.name}::text), ${after.id}::uuid)`;
  return { orderBy, isAfter: sql.fragment`(lower(${name}), ${id}) ${beyond} ${position}` };
};

const ANY_ROW = sql.fragment`true`;

type ListQuery = { readonly limit: number; readonly cursor?: string | undefined } & Readonly<
  Record<string, unknown>
>;

type PageReply<Item> = {
  readonly status: 200;
  readonly body: { items: Item[]; next_cursor: string | null };
} & Reply;

/**
 * Answers one page of a list that is ordered by id.
 *
 * @param read reads one row more than the page shows, to know whether there is a next one
 * @param idOf the id (UUID) that rows are ordered by
 * @throws Problem invalid-cursor
 */
export const answerPage = <Row, Item>(
  context: RequestContext,
  query: ListQuery,
  list: {
    readonly read: (page: PageRequest) => Promise<readonly Row[]>;
    readonly idOf: (row: Row) => string;
    readonly toItem: (row: Row) => Item;
  },
): Promise<PageReply<Item>> =>
  answer(context, query, {
    read: (after, take) => list.read({ after: after?.id ?? null, take }),
    positionOf: (row) => ({ id: list.idOf(row), name: '' }),
    toItem: list.toItem,
  });

/**
 * Answers one page of a list in the order that its query names.
 *
 * @param read reads one row more than the page shows, to know whether there is a next one
 * @throws Problem invalid-cursor
 */
export const answerSortedPage = <Row, Item>(
  context: RequestContext,
  query: ListQuery & { readonly sort: Sort },
  list: {
    readonly read: (page: SortedPageRequest) => Promise<readonly Row[]>;
    /** The id and the name that rows are ordered by. */
    readonly positionOf: (row: Row) => Position;
    readonly toItem: (row: Row) => Item;
  },
): Promise<PageReply<Item>> => {
  const { sort } = query;
  return answer(context, query, {
    read: (after, take) => list.read({ after, take, sort }),
    positionOf: (row) => {
      const { id, name } = list.positionOf(row);
      return { id, name: sort.endsWith('name') ? name : '' };
    },
    toItem: list.toItem,
  });
};

const answer = async <Row, Item>(
  context: RequestContext,
  { limit, cursor, ...filters }: ListQuery,
  list: {
    readonly read: (after: Position | null, take: number) => Promise<readonly Row[]>;
    readonly positionOf: (row: Row) => Position;
    readonly toItem: (row: Row) => Item;
  },
): Promise<PageReply<Item>> => {
  const name = JSON.stringify([context.path, Object.entries(filters).sort()]);
  const after = cursor === undefined ? null : context.cursors.open(name, cursor);
  const rows = await list.read(after, limit + 1);
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next =
    rows.length > limit && last ? context.cursors.seal(name, list.positionOf(last)) : null;
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
