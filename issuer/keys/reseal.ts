/**
 * Seals everything of the issuer's anew with the first key of the ring, so that the others can be taken out.
 * In batches, beside the running service; what is done needs no second time, so that it can be stopped and
 * started again at any moment.
 */
import { type CommonQueryMethods, type DatabasePool, sql } from 'slonik';
import * as z from 'zod';
import type { Encryption } from '#runtime/encryption.ts';
import { purposeOfCredential } from '../people/upstream/remember.ts';
import { purposeOf } from '../storage/adapter.ts';
import { purposeOfKey } from './change-keys.ts';

/** What {@link reseal} needs. */
export type ResealDeps = {
  /** Of the role hexabase_issuer. */
  readonly database: DatabasePool;
  readonly encryption: Encryption;
  /** Rows read at once. */
  readonly batch?: number;
};

/** What came of it. */
export type Resealed = {
  readonly resealed: number;
  /** Rows that no key of the ring opens. */
  readonly unopened: number;
};

const SealedRow = z.strictObject({
  /** The physical row, as long as nobody writes it. */
  ctid: z.string(),
  /** What it is sealed for comes of these. */
  names: z.array(z.string()),
  sealed: z.instanceof(Buffer),
});

type SealedTable = {
  readonly name: string;
  readonly column: string;
  /** SQL of an array of texts. */
  readonly names: ReturnType<typeof sql.fragment>;
  readonly purposeOf: (names: readonly string[]) => string;
};

const TABLES: readonly SealedTable[] = [
  {
    name: 'signing_key',
    column: 'sealed_jwk',
    names: sql.fragment`ARRAY[kid]`,
    purposeOf: ([kid = '']) => purposeOfKey(kid),
  },
  {
    name: 'upstream_account',
    column: 'sealed_credential',
    names: sql.fragment`ARRAY[connector, subject]`,
    purposeOf: ([connector = '', subject = '']) => purposeOfCredential({ connector, subject }),
  },
  {
    name: 'oidc_grant',
    column: 'sealed_payload',
    names: sql.fragment`ARRAY[encode(id_hash, 'hex')]`,
    purposeOf: ([hash = '']) => purposeOf('Grant', Buffer.from(hash, 'hex')),
  },
  {
    name: 'oidc_artifact',
    column: 'sealed_payload',
    names: sql.fragment`ARRAY[model, encode(id_hash, 'hex')]`,
    purposeOf: ([model = '', hash = '']) => purposeOf(model, Buffer.from(hash, 'hex')),
  },
];

const BATCH = 500;

/** Goes through all tables. */
export const reseal = async (deps: ResealDeps): Promise<Resealed> => {
  let [resealed, unopened] = [0, 0];
  for (const table of TABLES) {
    let found: Resealed;
    do {
      // Rows that others have written meanwhile, without sealing them anew, may have moved to the front.
      found = await resealTable(deps, table);
      resealed += found.resealed;
    } while (found.resealed > 0);
    unopened += found.unopened;
  }
  return { resealed, unopened };
};

const resealTable = async (
  { database, encryption, batch = BATCH }: ResealDeps,
  table: SealedTable,
): Promise<Resealed> => {
  let [resealed, unopened] = [0, 0];
  for (let after = '(0,0)'; ; ) {
    const rows = await listSealed(database, table, { prefix: encryption.prefix, after, batch });
    for (const row of rows) {
      const anew = sealAnew(encryption, table.purposeOf(row.names), row.sealed);
      if (anew) resealed += await updateSealed(database, table, { ...row, anew });
      else unopened += 1;
    }
    const last = rows.at(-1);
    if (!last || rows.length < batch) return { resealed, unopened };
    after = last.ctid;
  }
};

const sealAnew = (encryption: Encryption, purpose: string, sealed: Buffer): Buffer | undefined => {
  try {
    return encryption.seal(purpose, encryption.open(purpose, sealed));
  } catch {
    // Counted, and told at the end: one damaged row must not hold up the others.
    return undefined;
  }
};

type Page = { readonly prefix: Buffer; readonly after: string; readonly batch: number };

// In physical order: it needs no index, and nobody writes a row without moving it.
const listSealed = (
  db: CommonQueryMethods,
  { name, column, names }: SealedTable,
  { prefix, after, batch }: Page,
): Promise<readonly z.infer<typeof SealedRow>[]> =>
  db.any(sql.type(SealedRow)`
    SELECT ctid::text, ${names} AS names, ${sql.identifier([column])} AS sealed
    FROM ${sql.identifier([name])}
    WHERE ctid > ${after}::tid AND ${sql.identifier([column])} <> ''
      AND substring(${sql.identifier([column])} FROM 1 FOR ${prefix.length}) <> ${sql.binary(prefix)}
    ORDER BY ctid
    LIMIT ${batch}
  `);

const updateSealed = async (
  db: CommonQueryMethods,
  { name, column }: SealedTable,
  { ctid, sealed, anew }: z.infer<typeof SealedRow> & { readonly anew: Buffer },
): Promise<number> => {
  const { rowCount } = await db.query(sql.type(z.strictObject({}))`
    UPDATE ${sql.identifier([name])} SET ${sql.identifier([column])} = ${sql.binary(anew)}
    WHERE ctid = ${ctid}::tid AND ${sql.identifier([column])} = ${sql.binary(sealed)}
  `);
  return rowCount;
};
