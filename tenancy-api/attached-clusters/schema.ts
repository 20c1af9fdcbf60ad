/** The shape in which an existing cluster is given to a workspace. */
import * as z from 'zod';
import { LONGEST_KUBECONFIG } from '#domain/attached-kubeconfig.ts';

/** An existing cluster that a workspace is to have; the kubeconfig is never shown again. */
export const AttachedCluster = z
  .strictObject({
    kubeconfig: z
      .string()
      .min(1)
      .max(LONGEST_KUBECONFIG)
      .meta({ writeOnly: true })
      .describe(
        'A kubeconfig (v1) with one cluster, user and context, all inline (`kubectl config view --minify --flatten --raw`): an https server with its certificate authority, and a token or a client certificate with the rights of cluster-admin. Plugins, files, proxies and impersonation are refused.',
      ),
  })
  .meta({
    id: 'AttachedCluster',
    examples: [{ kubeconfig: 'apiVersion: v1\nkind: Config\nclusters: […]\n' }],
  });
export type AttachedCluster = z.infer<typeof AttachedCluster>;
