/**
 * `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a POST that its caller may send again
 * without doing the thing twice. The answer is stored in the transaction that did the thing, so that
 * neither is there without the other.
 */
import { createHash } from 'node:crypto';
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import { IDEMPOTENCY_HOURS } from '#domain/retention.ts';
import type { RequestContext } from './context.ts';
import { PROBLEMS, Problem, type ProblemError } from './problems.ts';
import type { Reply } from './route.ts';

const KEY = /^(?:"([\x20\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\x21\x23-\x7e]{1,255}))$/;

/**
 * The key in the header: a structured-field string (RFC 9651 §3.3.3), or the same without quotes.
 *
 * @returns `undefined` without the header
 * @throws Problem invalid-request
 */
export const readIdempotencyKey = (header: string | undefined): string | undefined => {
  if (header === undefined) return undefined;
  const match = KEY.exec(header.trim());
  const key = match?.[1] ?? match?.[2];
  if (key !== undefined) return key;
  throw new Problem(
    PROBLEMS.invalidRequest,
    'The Idempotency-Key header must be a string of 1 to 255 printable ASCII characters, such as a UUID, in double quotes.',
  );
};

/** Where a key belongs: the same key means something else to another caller or on another route. */
export type KeyPlace = {
  /** UUID */
  readonly personId: string;
  /** Method, path and query. */
  readonly target: string;
  readonly key: string;
};

/**
 * Takes the key until the transaction ends. Comes before every other lock, so that a repetition that
 * meets the first request is told so instead of waiting.
 *
 * @throws Problem idempotency-key-in-use while the first request runs
 */
export const takeKey = async (db: CommonQueryMethods, place: KeyPlace): Promise<void> => {
  const taken = await db.oneFirst(sql.type(z.strictObject({ taken: z.boolean() }))`
    SELECT pg_try_advisory_xact_lock(
      hashtextextended(${JSON.stringify(['idempotency', place.personId, place.target, place.key])}, 0)
    ) AS taken
  `);
  if (taken) return;
  throw new Problem(
    PROBLEMS.idempotencyKeyInUse,
    'Wait a moment and send it again to get the answer of the first.',
    { headers: { 'Retry-After': '1' } },
  );
};

/** What a request came to: an answer, or a refusal that is kept with its key. */
export type Outcome = Reply | Problem;

/**
 * Does what is asked once for a key: whoever repeats the request gets the first answer, also when it
 * was a refusal. The transaction has to be committed for either.
 *
 * @param request its key already taken; `body` as it came; `toKept` says what of the answer is stored
 * @param act carries out the request in the context it is given
 * @throws Problem idempotency-key-reused when the key came with another body
 */
export const answerOnce = async (
  context: RequestContext,
  request: {
    readonly place: KeyPlace;
    readonly body: unknown;
    readonly toKept: (reply: Reply) => Reply;
  },
  act: (context: RequestContext) => Promise<Reply>,
): Promise<Outcome> => {
  const { place, body, toKept } = request;
  const fingerprint = createHash('sha256')
    .update(JSON.stringify(body ?? null))
    .digest('base64');
  const known = await findAnswer(context.tx, place);
  if (known) return replay(known, fingerprint);
  await deleteOldAnswers(context.tx, place.personId);
  const outcome = await attempt(context, act);
  await insertAnswer(context.tx, place, {
    ...toAnswer(outcome instanceof Problem ? outcome : toKept(outcome)),
    fingerprint,
  });
  return outcome;
};

const attempt = async (
  context: RequestContext,
  act: (context: RequestContext) => Promise<Reply>,
): Promise<Outcome> => {
  try {
    // A savepoint: what a refused request has written is undone, and its key is kept.
    return await context.tx.transaction((tx) => act({ ...context, tx }));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    context.changedWorkspaces.clear();
    return error;
  }
};

const replay = (known: AnswerRow, fingerprint: string): Outcome => {
  if (known.fingerprint !== fingerprint) {
    throw new Problem(
      PROBLEMS.idempotencyKeyReused,
      'This Idempotency-Key came before with another body. Use a new key for a new request.',
    );
  }
  const headers = { ...known.headers, 'Idempotent-Replayed': 'true' };
  const kind = Object.values(PROBLEMS).find(({ type }) => type === known.problem?.type);
  if (kind && known.problem) {
    const { detail, errors } = known.problem;
    return new Problem(kind, detail, { errors, headers });
  }
  return { status: known.status, headers, body: known.body ?? undefined };
};

const toAnswer = (outcome: Outcome): Omit<AnswerRow, 'fingerprint'> =>
  outcome instanceof Problem
    ? {
        status: outcome.kind.status,
        headers: outcome.headers,
        body: null,
        problem: { type: outcome.kind.type, detail: outcome.message, errors: [...outcome.errors] },
      }
    : {
        status: outcome.status,
        headers: outcome.headers ?? {},
        body: outcome.body ?? null,
        problem: null,
      };

const said = { detail: z.string(), suggestion: z.string().optional() };
const StoredError = z.union([
  z.strictObject({ pointer: z.string(), ...said }),
  z.strictObject({ parameter: z.string(), ...said }),
]) satisfies z.ZodType<ProblemError>;

const AnswerRow = z.strictObject({
  /** base64 */
  fingerprint: z.string(),
  status: z.int(),
  headers: z.record(z.string(), z.string()),
  body: z.unknown(),
  problem: z
    .strictObject({ type: z.string(), detail: z.string(), errors: z.array(StoredError) })
    .nullable(),
});
type AnswerRow = Readonly<z.infer<typeof AnswerRow>>;

const findAnswer = (db: CommonQueryMethods, place: KeyPlace): Promise<AnswerRow | null> =>
  db.maybeOne(sql.type(AnswerRow)`
    SELECT encode(fingerprint, 'base64') AS fingerprint, status, headers, body, problem
    FROM idempotency_key
    WHERE person_id = ${place.personId} AND target = ${place.target} AND key = ${place.key}
      AND created_at > now() - make_interval(hours => ${IDEMPOTENCY_HOURS})
  `);

const insertAnswer = async (
  db: CommonQueryMethods,
  place: KeyPlace,
  answer: AnswerRow,
): Promise<void> => {
  await db.query(sql.type(z.strictObject({}))`
    INSERT INTO idempotency_key (person_id, target, key, fingerprint, status, headers, body, problem)
    VALUES (
      ${place.personId}, ${place.target}, ${place.key}, decode(${answer.fingerprint}, 'base64'),
      ${answer.status}, ${sql.jsonb(answer.headers)}, ${JSON.stringify(answer.body)}::jsonb,
      ${JSON.stringify(answer.problem)}::jsonb
    )
  `);
};

/** A caller's own, which only they can see; rbac-sync takes away what others never came back for. */
const deleteOldAnswers = async (db: CommonQueryMethods, personId: string): Promise<void> => {
  await db.query(sql.type(z.strictObject({}))`
    DELETE FROM idempotency_key
    WHERE person_id = ${personId}
      AND created_at <= now() - make_interval(hours => ${IDEMPOTENCY_HOURS})
  `);
};
