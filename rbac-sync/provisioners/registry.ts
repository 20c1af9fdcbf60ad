/** Which provisioner a workspace has: the one that made its control plane, for good. */
import { type Provisioner, ProvisioningError } from './provisioner.ts';

/** The provisioners that are set up here. */
export type ProvisionerRegistry = AsyncDisposable & {
  /**
   * The name of the one that a workspace is to have: what was recorded before anything was made, else what
   * the workspace asks for, else the default.
   *
   * @throws ProvisioningError when what was recorded is not what the workspace asks for
   */
  readonly nameFor: (choice: ProvisionerChoice) => string;
  /** @throws ProvisioningError when none of that name is set up here */
  readonly get: (name: string) => Provisioner;
};

/** What decides on a workspace's provisioner; `null` where nothing is said. */
export type ProvisionerChoice = {
  /** What its control plane was made by. */
  readonly recorded: string | null;
  /** What its row asks for. */
  readonly wanted: string | null;
};

/** What {@link createProvisionerRegistry} needs. */
export type RegistryOptions = {
  readonly provisioners: readonly Provisioner[];
  /** The name of the one for workspaces that ask for none. */
  readonly defaultName: string;
};

/**
 * Owns the provisioners: its disposal is theirs.
 *
 * @throws Error when the default is not among them
 */
export const createProvisionerRegistry = ({
  provisioners,
  defaultName,
}: RegistryOptions): ProvisionerRegistry => {
  const byName = new Map(provisioners.map((each) => [each.name, each]));
  if (!byName.has(defaultName)) {
    throw new Error(
      `The default provisioner "${defaultName}" is not set up: ${listNames(byName)}.`,
    );
  }
  return {
    nameFor: ({ recorded, wanted }) => {
      if (recorded !== null && wanted !== null && recorded !== wanted) {
        throw new ProvisioningError(
          'ProvisionerChanged',
          `The control plane was made by "${recorded}", and the workspace now asks for "${wanted}". It never moves by itself: set it back, or make a new workspace.`,
        );
      }
      return recorded ?? wanted ?? defaultName;
    },
    get: (name) => {
      const found = byName.get(name);
      if (found) return found;
      throw new ProvisioningError(
        'ProvisionerMissing',
        `The workspace needs the provisioner "${name}", which is not set up in rbac-sync (${listNames(byName)}). Its operator has to add the settings of that provisioner.`,
      );
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(provisioners.map((each) => each[Symbol.asyncDispose]()));
    },
  };
};

const listNames = (byName: ReadonlyMap<string, Provisioner>): string =>
  `there are: ${[...byName.keys()].join(', ') || 'none'}`;
