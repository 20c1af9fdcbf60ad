import { IDEMPOTENCY_HOURS } from '#domain/retention.ts';

/** What holds for all operations, in Markdown. */
export const INTRODUCTION = `
**Sign in.** Send \`Authorization: Bearer …\` with an access token of the platform’s issuer (scope \`api\`; it
lives five minutes). \`hexabase get-token --token-type access_token --output token\` prints one.

**Rights.** Each operation says which right it needs and which roles have it (also as \`x-permission\`).
Whoever has no business somewhere gets 404, exactly as for what does not exist.

**Identifiers** carry their kind: \`ws_…\`, \`grp_…\`. Times are RFC 3339 in UTC.

**Problems** are \`application/problem+json\` (RFC 9457). \`type\` is stable and named with each operation;
\`detail\` says what is wrong and what to do; \`errors\` points at places in the body or the query.

**Tasks.** What has to reach a cluster is answered with 202 and a task. It succeeds when the cluster has been
seen to obey. \`Prefer: wait=30\` on the task waits for that.

**Changes on what you have seen.** Single resources carry an \`ETag\`; send it as \`If-Match\` when you change
them. Without it the answer is 428, on an old one 412.

**Repeating safely.** Any POST takes an \`Idempotency-Key\`, kept for ${IDEMPOTENCY_HOURS} hours: the same request again gets
the same answer (with \`Idempotent-Replayed: true\`), another body 422, and 409 while the first is running.

**Dry runs.** Where \`dry_run\` is offered, \`true\` answers what would happen, and nothing stays.

**Lists** come in pages: \`limit\`, then \`next_cursor\` and a \`Link\` with \`rel="next"\` (RFC 8288).

**HTTP.** HEAD answers as GET without a body, OPTIONS with \`Allow\`. Long answers are compressed with br or gzip.
Browsers are let in from the console’s origin only. \`X-Request-Id\` is taken from you or made, and always
answered. An operation that will end says so with \`Deprecation\` (RFC 9745) and \`Sunset\` (RFC 8594).
`.trim();
