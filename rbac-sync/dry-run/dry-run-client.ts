/** Clients for diffs: nothing can be changed through them, and they end when they are told to. */
import type { KubernetesClient, RequestOptions } from '../cluster/kubernetes-client.ts';

/** What a diff asks through. */
export type DiffClient = Pick<KubernetesClient, 'request'>;

/** The same cluster, until the signal aborts. */
export const toLimitedClient = (client: DiffClient, signal: AbortSignal): DiffClient => ({
  request: (path, options = {}) => client.request(path, { ...options, signal }),
});

/**
 * The same cluster, with every write as a server-side dry run (`dryRun=All`): it goes through
 * authorization, admission and validation, and is not stored. The API server reads the options of a
 * DELETE from its body alone when it has one, so that they are said in both places.
 */
export const toDryRunClient = (client: DiffClient): DiffClient => ({
  request: (path, options = {}) => client.request(path, toDryRun(options)),
});

const toDryRun = (options: RequestOptions): RequestOptions => {
  const { method = 'GET', query, body } = options;
  if (method === 'GET') return options;
  return {
    ...options,
    query: { ...query, dryRun: 'All' },
    ...(method === 'DELETE' && { body: { ...(body as object | undefined), dryRun: ['All'] } }),
  };
};
