/**
 * When signing keys change their states: next → current → retired → gone. Pure. There is always a next key,
 * published long before it signs, so that a change at any moment, an emergency too, refuses nobody's token.
 */
import { PUBLISH_SECONDS } from '#domain/signing-keys.ts';
import { CLOCK_SKEW_SECONDS } from '#domain/staleness.ts';
import { SESSION_SECONDS } from '../protocol/time-to-live.ts';

/** The algorithms that tokens are signed with, the default first (RFC 7518). */
export const SIGNING_ALGORITHMS = ['ES256', 'RS256'] as const;
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

/** Published are all but the revoked; `current` signs. */
export const KEY_STATES = ['current', 'next', 'retired', 'revoked'] as const;
export type KeyState = (typeof KEY_STATES)[number];

/** What the rules look at of a key. */
export type KeyRecord = {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly state: KeyState;
  /** When it came into this state, by the database's clock. */
  readonly state_since: Date;
};

/** How long keys stay in their states, in seconds. */
export type RotationPolicy = {
  /** A current key signs for so long. */
  readonly rotateSeconds: number;
  /** A next key is published for at least so long before it signs. */
  readonly publishSeconds: number;
  /** A retired key stays published for so long. */
  readonly retainSeconds: number;
};

/** What is to be done, in this order. */
export type KeyAction =
  | {
      readonly type: 'make';
      readonly algorithm: SigningAlgorithm;
      readonly state: 'next' | 'current';
    }
  | { readonly type: 'retire'; readonly kid: string }
  | { readonly type: 'promote'; readonly kid: string }
  | { readonly type: 'delete'; readonly kid: string };

const DAY = 86_400;

/**
 * The usual policy. ID tokens, access tokens and logout tokens live minutes, but an ID token that has expired
 * still names the session to end (`id_token_hint`), for as long as one can last.
 */
export const toRotationPolicy = (rotateDays: number): RotationPolicy => ({
  rotateSeconds: rotateDays * DAY,
  publishSeconds: PUBLISH_SECONDS,
  retainSeconds: SESSION_SECONDS + CLOCK_SKEW_SECONDS,
});

/** @param now by the clock that set the records' times */
export const planRotation = (
  records: readonly KeyRecord[],
  policy: RotationPolicy,
  now: Date,
): readonly KeyAction[] => [
  ...SIGNING_ALGORITHMS.flatMap((algorithm) =>
    planAlgorithm(
      records.filter((record) => record.algorithm === algorithm),
      { algorithm, policy, now },
    ),
  ),
  ...records
    .filter((record) => record.state === 'retired' && ageOf(record, now) >= policy.retainSeconds)
    .map(({ kid }): KeyAction => ({ type: 'delete', kid })),
];

type Setting = {
  readonly algorithm: SigningAlgorithm;
  readonly policy: RotationPolicy;
  readonly now: Date;
};

const planAlgorithm = (
  records: readonly KeyRecord[],
  { algorithm, policy, now }: Setting,
): readonly KeyAction[] => {
  const current = records.find(({ state }) => state === 'current');
  const [next, ...others] = records
    .filter(({ state }) => state === 'next')
    .sort((one, other) => one.state_since.getTime() - other.state_since.getTime());
  const makeNext: KeyAction = { type: 'make', algorithm, state: 'next' };
  if (!next) {
    return current ? [makeNext] : [{ type: 'make', algorithm, state: 'current' }, makeNext];
  }
  const isDue = !current || ageOf(current, now) >= policy.rotateSeconds;
  const isRipe = !current || ageOf(next, now) >= policy.publishSeconds;
  if (!isDue || !isRipe) return [];
  return [
    ...(current ? [{ type: 'retire', kid: current.kid } as const] : []),
    { type: 'promote', kid: next.kid },
    ...(others.length === 0 ? [makeNext] : []),
  ];
};

/** Seconds since a key came into its state. */
export const ageOf = ({ state_since }: Pick<KeyRecord, 'state_since'>, now: Date): number =>
  (now.getTime() - state_since.getTime()) / 1_000;
