/**
 * What people with real tokens must not be able to do in a workspace's cluster, as data: each attack
 * is one request that must be answered 401 or 403.
 */
import type {
  KubernetesClient,
  RequestOptions,
} from '../../../rbac-sync/cluster/kubernetes-client.ts';
import { KubernetesError } from '../../../rbac-sync/cluster/kubernetes-error.ts';

/** Who attacks. */
export type Actor =
  /** A member of WSAdmins: holds the presets, and the built-in `admin` in each project. */
  | 'admin'
  /** A member of a group with a project role. */
  | 'member'
  /** A person with a sound token of this workspace and no group that anything is bound to. */
  | 'stranger'
  /** A group to which someone bound, by mistake, a cluster-wide role that writes. */
  | 'mistaken'
  /** Whoever stole the credential of rbac-sync. */
  | 'sync';

/** One request that must be refused, by whomever it is made. */
export type Attack = Pick<
  RequestOptions,
  'method' | 'query' | 'contentType' | 'body' | 'headers'
> & {
  readonly name: string;
  readonly actors: readonly Actor[];
  readonly path: string;
};

/** Names of our objects that attacks aim at; bindings have a hash in theirs. */
export type Targets = {
  readonly roleBinding: string;
  readonly clusterRoleBinding: string;
};

/** How an attack ended; `refused` is the only good end. */
export type AttackResult = 'refused' | 'succeeded' | `answered ${number}`;

/**
 * Attacks. As a dry run it goes through the same authorization and admission, and leaves nothing
 * behind when it succeeds.
 */
export const attack = async (
  client: KubernetesClient,
  { method, path, query, contentType, body, headers }: Attack,
  dryRun: boolean,
): Promise<AttackResult> => {
  try {
    await client.request(path, {
      ...(method && { method }),
      query: { ...query, ...(dryRun && method && { dryRun: 'All' }) },
      ...(contentType && { contentType }),
      ...(body !== undefined && { body }),
      ...(headers && { headers }),
    });
    return 'succeeded';
  } catch (error) {
    if (!(error instanceof KubernetesError)) throw error;
    return error.status === 401 || error.status === 403 ? 'refused' : `answered ${error.status}`;
  }
};
