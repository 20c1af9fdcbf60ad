/** How long the keys that sign tokens are kept and trusted by whoever verifies them. */
import { CLOCK_SKEW_SECONDS } from './staleness.ts';

/**
 * For how long whoever reads the issuer's keys (`/jwks`) may keep them, in seconds. kube-apiserver goes on
 * trusting a removed key until what it keeps has expired, and refuses a new one until half a minute before
 * that; without any lifetime each junk token makes it ask again.
 */
export const JWKS_SECONDS = 60;

/** Every replica of the issuer looks for changed keys this often, in milliseconds. */
export const KEYS_POLL_MS = 2_000;

/** A key is published for so long before it signs, in seconds: two lives of the published set, and what delays add. */
export const PUBLISH_SECONDS = 2 * JWKS_SECONDS + (5 * KEYS_POLL_MS) / 1_000 + CLOCK_SKEW_SECONDS;
