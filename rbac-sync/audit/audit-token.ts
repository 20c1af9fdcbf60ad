/** The bearer tokens of the audit webhooks: one a workspace, made of one key, stored nowhere with us. */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** The use that the encryption key is derived for. */
export const AUDIT_KEY_USE = 'audit-webhook';

/** The token with which a workspace's API server sends its events. @param workspaceId UUID */
export const toAuditToken = (key: Buffer, workspaceId: string): string =>
  createHmac('sha256', key).update(`workspace:${workspaceId}`).digest('base64url');

/** Whether an Authorization header holds the token of this workspace, in constant time. */
export const isAuditToken = (
  key: Buffer,
  workspaceId: string,
  authorization: string | undefined,
): boolean => {
  const expected = Buffer.from(`Bearer ${toAuditToken(key, workspaceId)}`);
  const given = Buffer.from(authorization ?? '');
  return given.length === expected.length && timingSafeEqual(given, expected);
};
