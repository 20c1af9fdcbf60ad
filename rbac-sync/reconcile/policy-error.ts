/** A wall of a cluster is down and could not be put up again: what a workspace's condition Synced says then. */

/** Policies or presets are other than they should be, and stay so for now. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
  /** One word for machines. */
  readonly reason: 'PoliciesContested' | 'PoliciesNotRepaired';

  /** @param message sentences for people: what is open, and what to do */
  constructor(reason: PolicyError['reason'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
