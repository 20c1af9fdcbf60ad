/**
 * How long an old right can outlive its removal. Membership travels in ID tokens, which a
 * kube-apiserver verifies by itself: an ID token that was issued just before a removal works until
 * it expires, and a cached verification a little longer.
 */

/** The life of a workspace's ID token, in seconds. */
export const ID_TOKEN_SECONDS = 120;

/**
 * An identity provider is asked again who somebody is when its last word is older, in seconds: so long can
 * an upstream group outlive its end before a new token lacks it.
 */
export const UPSTREAM_REFRESH_SECONDS = 300;

/** The last word of an identity provider that can't be asked counts for so long, in seconds. */
export const UPSTREAM_MAX_AGE_SECONDS = 3_600;

/** kube-apiserver keeps a verified token this long (TokenSuccessCacheTTL), in seconds. */
export const APISERVER_TOKEN_CACHE_SECONDS = 10;

/** vCluster's proxy keeps the API server's answer to a TokenReview this long, in seconds. */
export const VCLUSTER_TOKEN_CACHE_SECONDS = 5;

/** The clock difference between issuer and API server that we allow for, in seconds. */
export const CLOCK_SKEW_SECONDS = 5;

/**
 * How long an API server that asks whether a sign-in was revoked may remember the answer, in seconds. The one
 * in kube-apiserver that holds is `unauthorizedTTL`: "no opinion" isn't a yes, and is kept as long as a no.
 */
export const REVOCATION_CACHE_SECONDS = 3;

/** How often the issuer looks for grants that were ended elsewhere, in seconds. */
export const REVOCATION_POLL_SECONDS = 1;

/** Where API servers ask whether a sign-in was revoked, they refuse its tokens within this time, in seconds. */
export const REVOKED_WITHIN_SECONDS = 10;

/** When the last API server that asks refuses the tokens of a grant that ended at `endedAt`. */
export const refusedFrom = (endedAt: Date): Date =>
  new Date(endedAt.getTime() + 1000 * REVOKED_WITHIN_SECONDS);

/** When the last token that still carries a membership removed at `removedAt` stops working. */
export const oldTokensUntil = (removedAt: Date): Date =>
  new Date(
    removedAt.getTime() +
      1000 *
        (ID_TOKEN_SECONDS +
          APISERVER_TOKEN_CACHE_SECONDS +
          VCLUSTER_TOKEN_CACHE_SECONDS +
          CLOCK_SKEW_SECONDS),
  );
