/** Who we are in a cluster; the manifests have the same names. */

/** The service account of the sync identity. */
export const SYNC_ACCOUNT = { namespace: 'hexabase-system', name: 'rbac-sync' } as const;

/** The sync identity as API servers know it. */
export const SYNC_USER = `system:serviceaccount:${SYNC_ACCOUNT.namespace}:${SYNC_ACCOUNT.name}`;

/** Who installs the manifests: a user of `system:masters`, and the manager of their fields. */
export const INSTALLER = 'hexabase-bootstrap';

/** The manager of the fields of all that is synchronized. */
export const FIELD_MANAGER = 'hexabase-rbac-sync';

/**
 * The user who asks whether policies are in force. Nobody can be it but by impersonation: no token and no
 * service account has such a name.
 */
export const PROBER = 'hexabase-policy-prober';

/** The ClusterRoleBinding of the prober, which stands for a moment. */
export const PROBER_BINDING = 'hexabase:policy-prober';
