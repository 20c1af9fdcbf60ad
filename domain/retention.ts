/** How long the answer to a request that may be repeated is kept; told to callers. */
export const IDEMPOTENCY_HOURS = 24;
