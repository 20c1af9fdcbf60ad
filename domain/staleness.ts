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
