/**
 * Names of workspace groups. The issuer puts them into tokens and rbac-sync into the subjects of
 * bindings, so the contract between the two is written here and nowhere else.
 */
import { createHash } from 'node:crypto';
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

const MAX_LENGTH = 63;

/**
 * A group name made from any text: its letters, digits, ".", "_" and "-" without marks, the rest as
 * "-". Where letters or digits would be lost, or only the end of something long, a hash of the text
 * stands for them. The same text always gives the same name; other texts may give it as well.
 */
export const fitGroupName = (text: string): string => {
  const plain = text.normalize('NFKD').replace(/\p{M}+/gu, '');
  const name = plain
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .replace(/[^A-Za-z0-9]+$/, '');
  const isLossy =
    name.length > MAX_LENGTH || /[\p{L}\p{N}]/u.test(plain.replace(/[A-Za-z0-9]/g, ''));
  return isLossy || name === '' ? toOwnGroupName(name || 'group', text) : name;
};

/**
 * A group name that no other text gives: `base` with the first digits of the text's SHA-256.
 *
 * @param digits how many, at most 60
 */
export const toOwnGroupName = (base: string, text: string, digits = 8): string => {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, digits);
  return `${base.slice(0, MAX_LENGTH - digits - 1)}-${hash}`;
};
