/**
 * Entity tags (RFC 9110 §8.8.3): a resource's is its version, which every change raises, so that a
 * change made on an old reading is refused instead of undoing what happened in between.
 */
import type { RequestContext } from './context.ts';
import { PROBLEMS, Problem } from './problems.ts';

/** What a route says of the answers that show one resource. */
export const etagHeaders = { ETag: 'Its version, for If-Match.' } as const;

/** The `ETag` header of an answer that shows one resource. */
export const versionHeaders = (version: number): { readonly ETag: string } => ({
  ETag: `"${version}"`,
});

/**
 * Compares a resource with what the caller has last seen of it, if they say what that is.
 *
 * @param version as read under the lock that the change happens under
 * @throws Problem precondition-failed when it has changed since
 */
export const assertVersion = ({ ifMatch }: RequestContext, version: number): void => {
  if (ifMatch === undefined || ifMatch.trim() === '*') return;
  const { ETag } = versionHeaders(version);
  if (ifMatch.split(',').some((tag) => tag.trim() === ETag)) return;
  if (ifMatch.trim() === `${version}`) {
    throw new Problem(
      PROBLEMS.preconditionFailed,
      `Send the ETag with its quotes: If-Match: ${ETag}`,
      {
        headers: { ETag },
      },
    );
  }
  throw new Problem(
    PROBLEMS.preconditionFailed,
    `It has changed since you read it: its ETag is ${ETag}. Read it again, and repeat the change on what you find.`,
    { headers: { ETag } },
  );
};
