/** How the end of a route is announced: `Deprecation` (RFC 9745) and `Sunset` (RFC 8594). */
import type { Deprecation } from './route.ts';

/** The headers of a deprecated route's answers; none for any other. */
export const toDeprecationHeaders = (
  deprecation: Deprecation | undefined,
): Readonly<Record<string, string>> => {
  if (!deprecation) return {};
  const { since, sunset, link } = deprecation;
  return {
    Deprecation: `@${Math.floor(since.getTime() / 1000)}`,
    ...(sunset && { Sunset: sunset.toUTCString() }),
    ...(link && { Link: `<${link}>; rel="deprecation"` }),
  };
};
