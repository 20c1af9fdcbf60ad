/** How every kube-apiserver sends its audit events. */

/**
 * The flags besides those that name the two files: small batches soon, and of a size that the receiver takes. An
 * event that is larger than allowed is not told at all, and whoever writes could make it so by a long address:
 * the largest there is has 1 MiB of headers, and up to six characters for each in JSON.
 */
export const AUDIT_FLAGS = {
  'audit-webhook-mode': 'batch',
  'audit-webhook-batch-max-wait': '1s',
  'audit-webhook-batch-max-size': '100',
  'audit-webhook-initial-backoff': '2s',
  'audit-webhook-truncate-enabled': 'true',
  'audit-webhook-truncate-max-batch-size': '7340032',
  'audit-webhook-truncate-max-event-size': '7340032',
} as const;
