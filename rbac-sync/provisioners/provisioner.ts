/** How a workspace gets a control plane of its own, whatever that runs on. */
import type { HostPlan } from '#domain/plan.ts';
import type { Credential } from '../cluster/kubernetes-client.ts';

/** A control plane that answers. */
export type ControlPlane = {
  /** `https://host:port`, for us and for kubectl alike. */
  readonly server: string;
  /** PEM. */
  readonly certificateAuthority: string;
  /** The IP address to connect to, where the server's name must not be resolved again. */
  readonly address?: string | undefined;
  /**
   * A credential of the group `system:masters`, made when asked for and short-lived. It installs the
   * presets, the policies and our own narrow identity, and does nothing else.
   */
  readonly bootstrapCredential: () => Promise<Credential>;
  /** What its members should know of it, in sentences. */
  readonly notes?: readonly string[] | undefined;
};

/** What a control plane is made from. */
export type ControlPlaneSpec = {
  /** UUID */
  readonly workspaceId: string;
  readonly plan: HostPlan;
};

/** The files that a workspace's kube-apiserver is configured by, as objects. */
export type ApiServerConfiguration = {
  /** AuthenticationConfiguration; reloaded by the API server when it changes. */
  readonly authentication: object;
  /** Audit policy, and the kubeconfig of the webhook that takes its events; read at the start only. */
  readonly audit?: { readonly policy: object; readonly webhook: object } | undefined;
  /** The kubeconfig of the webhook that is asked before RBAC; without it RBAC decides alone. */
  readonly authorization?: { readonly webhook: object } | undefined;
};

/** Told how far provisioning is; percent of the whole task. */
export type OnProgress = (percent: number, step: string) => Promise<void>;

/** What ends a call early. */
export type Interruption = {
  /** Gives up waiting; what was begun goes on and is found by the next call. */
  readonly signal?: AbortSignal | undefined;
};

/** What {@link Provisioner.ensure} is told. */
export type EnsureOptions = Interruption & { readonly onProgress: OnProgress };

/**
 * Why a control plane can't be had, to be told to the members of its workspace: the reason is that of the
 * condition Provisioned, and the message says what to do. Nothing secret is in it.
 */
export class ProvisioningError extends Error {
  override readonly name = 'ProvisioningError';
  /** One word for machines. */
  readonly reason: string;
  /** Whether a control plane that was made before goes on, so that the rights in it are kept in order. */
  readonly goesOn: boolean;

  /** @param message a sentence for people */
  constructor(
    reason: string,
    message: string,
    { goesOn = false, ...options }: ErrorOptions & { readonly goesOn?: boolean } = {},
  ) {
    super(message, options);
    this.reason = reason;
    this.goesOn = goesOn;
  }
}

/** Makes control planes and takes them away; disposal lets go of them all without losing data. */
export type Provisioner = AsyncDisposable & {
  /** Its name in the rows of `workspace_cluster`. */
  readonly name: string;
  /**
   * The workspace's control plane, up and answering: made, started again or just found. Idempotent,
   * fast when there is nothing to do, and resumable after a crash at any moment. One caller a
   * workspace at a time.
   *
   * @throws when it can't be had now; calling again carries on
   */
  readonly ensure: (spec: ControlPlaneSpec, options: EnsureOptions) => Promise<ControlPlane>;
  /**
   * Stops the control plane and keeps its data: `ensure` has it go on where it was. Nothing to do when it
   * is stopped, or when there is none.
   */
  readonly suspend: (workspaceId: string, options?: Interruption) => Promise<void>;
  /** Takes the control plane and all its data away; nothing to do when there is none. */
  readonly remove: (workspaceId: string, options?: Interruption) => Promise<void>;
};
