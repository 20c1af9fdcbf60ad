/** A request's path as a log may have it. */

/** Identifiers have at most 36 characters; codes and tokens 43 and more. */
const LONG_SEGMENT = /[^/]{40,}/g;

/** The path, without segments in which a token may stand that somebody has put into an address. */
export const toLoggedPath = (path: string): string => path.replace(LONG_SEGMENT, ':long');
