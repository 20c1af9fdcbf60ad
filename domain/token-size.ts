/**
 * How much a workspace's ID token may carry. kubectl sends it with every request, through proxies whose
 * headers end at 8 KiB, and an API server's authorizer looks at every binding for every group.
 */

/** A token carries this many groups at most; the API server refuses one with more. */
export const MOST_TOKEN_GROUPS = 100;

/** An ID token is this long at most, in bytes as it is sent. */
export const MOST_TOKEN_BYTES = 6 * 1024;
