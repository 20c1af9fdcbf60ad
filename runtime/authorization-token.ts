/**
 * The bearer tokens of clusters' authorization webhooks: one a workspace, made of a key that the issuer and
 * rbac-sync share, stored nowhere with us.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** The path at which the issuer answers a workspace's cluster. @param workspace public identifier */
export const toAuthorizationPath = (workspace: string): string => `/authorization/${workspace}`;

/**
 * The token with which a workspace's API server asks.
 *
 * @param key 32 bytes
 * @param workspace public identifier
 */
export const toAuthorizationToken = (key: Buffer, workspace: string): string =>
  createHmac('sha256', key).update(`authorization-webhook:${workspace}`).digest('base64url');

/** Whether an Authorization header holds the token of this workspace, in constant time. */
export const isAuthorizationToken = (
  key: Buffer,
  workspace: string,
  authorization: string | undefined,
): boolean => {
  const expected = Buffer.from(`Bearer ${toAuthorizationToken(key, workspace)}`);
  const given = Buffer.from(authorization ?? '');
  return given.length === expected.length && timingSafeEqual(given, expected);
};
