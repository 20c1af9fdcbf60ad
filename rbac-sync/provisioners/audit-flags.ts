/** How every kube-apiserver sends its audit events. */

/**
 * The flags besides those that name the two files: small batches soon, and events cut to a size, so that
 * one with a huge address can't take the others of its batch along.
 */
export const AUDIT_FLAGS = {
  'audit-webhook-mode': 'batch',
  'audit-webhook-batch-max-wait': '1s',
  'audit-webhook-batch-max-size': '100',
  'audit-webhook-initial-backoff': '2s',
  'audit-webhook-truncate-enabled': 'true',
  'audit-webhook-truncate-max-batch-size': '4194304',
  'audit-webhook-truncate-max-event-size': '65536',
} as const;
