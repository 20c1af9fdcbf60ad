/** How the chart gets to the host: by helm itself, or by a GitOps controller that is told to. */
import type { HostNames } from './names.ts';
import type { Patience } from './wait.ts';

/** A vCluster as it should be. */
export type Release = {
  readonly names: HostNames;
  readonly values: Readonly<Record<string, unknown>>;
};

/** Brings releases and takes them away. */
export type ReleaseDelivery = {
  /**
   * Has the host take this release. What it starts need not run yet.
   *
   * @throws ProvisioningError when the chart, the values or the host are no good
   */
  readonly apply: (release: Release, patience: Patience) => Promise<void>;
  /** Takes the release away, and waits until it is gone; nothing to do when there is none. */
  readonly remove: (names: HostNames, patience: Patience) => Promise<void>;
  /** Before and after the control plane is scaled by us: a controller must not fight that. */
  readonly hold: (names: HostNames, held: boolean) => Promise<void>;
};
