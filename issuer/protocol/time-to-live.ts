/** How long each thing lives, in seconds. */
import type { Configuration } from 'oidc-provider';
import { ID_TOKEN_SECONDS } from '#domain/staleness.ts';
import { SECONDS_LEFT } from './claims.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** A sign-in lasts this long in all: rotation never extends it. */
export const REFRESH_TOKEN_SECONDS = 12 * HOUR;

/**
 * A sign-in that isn't used for this long ends: over a working day it goes on, and a laptop that was left in
 * the evening has nothing to go on with in the morning.
 */
export const REFRESH_TOKEN_IDLE_SECONDS = 8 * HOUR;

/** A browser's session lasts this long from the sign-in, … */
export const SESSION_SECONDS = 8 * HOUR;
/** … and ends when it isn't used for this long. */
export const SESSION_IDLE_SECONDS = HOUR;

/** The life of an access token for the API. */
export const API_TOKEN_SECONDS = 5 * MINUTE;

/**
 * An ID token never outlives a membership that it carries: as kube-apiserver asks nobody again, its end
 * is the token's.
 */
export const toIdTokenLife = ({
  [SECONDS_LEFT]: left,
}: Readonly<Record<string, unknown>>): number =>
  typeof left === 'number' ? Math.max(1, Math.min(left, ID_TOKEN_SECONDS)) : ID_TOKEN_SECONDS;

/** It is stored anew at each use, with what is left to it then. */
const toSessionLife = (signedInAt: number | undefined): number => {
  if (signedInAt === undefined) return SESSION_IDLE_SECONDS;
  const left = signedInAt + SESSION_SECONDS - Math.floor(Date.now() / 1000);
  return Math.max(1, Math.min(left, SESSION_IDLE_SECONDS));
};

/** Each use gives a successor, so that what a token lives is what a sign-in may go unused. */
const toRefreshTokenLife = (elapsed: number): number =>
  Math.max(1, Math.min(REFRESH_TOKEN_IDLE_SECONDS, REFRESH_TOKEN_SECONDS - elapsed));

/** The lives of all artifacts. */
export const TIME_TO_LIVE: NonNullable<Configuration['ttl']> = {
  AuthorizationCode: 60,
  IdToken: (_ctx, token) => toIdTokenLife(token.available),
  AccessToken: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? ID_TOKEN_SECONDS,
  // `iiat` is when the first token of the family was issued; a successor inherits it.
  RefreshToken: (_ctx, token) => toRefreshTokenLife(token.totalLifetime()),
  DeviceCode: 5 * MINUTE,
  Interaction: 10 * MINUTE,
  PushedAuthorizationRequest: MINUTE,
  Session: (_ctx, session) => toSessionLife(session.loginTs),
  // Longer than the refresh token, which is issued a little later.
  Grant: REFRESH_TOKEN_SECONDS + 10 * MINUTE,
};
