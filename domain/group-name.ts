/**
 * Names of workspace groups. The issuer puts them into tokens and rbac-sync into the subjects of
 * bindings, so the contract between the two is written here and nowhere else.
 */
import * as z from 'zod';

/** What a kube-apiserver puts before every name from our tokens, users and groups alike. */
export const KUBERNETES_PREFIX = 'hexabase:';

/** The claim that carries a person's groups, flat, sorted and unique, without the prefix. */
export const GROUPS_CLAIM = 'groups';

/**
 * The name of a workspace group: ASCII, at most 63 characters, no `:` (so never `system:`), no `/`.
 * It never changes, because tokens and bindings meet in it.
 */
export const GroupName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
    'A group name has 1 to 63 ASCII letters, digits, ".", "_" or "-", and starts with a letter or digit. Use display_name for anything else.',
  );

/** The name of a group as Kubernetes sees it: the subject of a binding. */
export const toKubernetesGroup = (name: string): string => `${KUBERNETES_PREFIX}${name}`;

/** Two group names of one workspace that differ only by case are the same name. */
export const foldGroupName = (name: string): string => name.toLowerCase();
