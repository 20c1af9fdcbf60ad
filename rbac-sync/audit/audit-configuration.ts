/**
 * Has a workspace's kube-apiserver tell us who wrote what: `managedFields` names the tool, only the audit
 * log names the person. Metadata of writes on RBAC and on the kinds that we manage, and the options of
 * deletions: no event carries an object, so none carries a secret.
 * https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/
 */
import { formatId } from '#domain/identifiers.ts';
import { SYNC_USER } from '../cluster/identities.ts';
import type { ApiServerConfiguration } from '../provisioners/provisioner.ts';
import { toAuditToken } from './audit-token.ts';

/** Where clusters send their events to. */
export type AuditEndpoint = {
  /** An https URL that the clusters reach, with no final slash: over http they send no token. */
  readonly url: string;
  /** PEM of the authority behind its certificate; without it the system's are trusted. */
  readonly certificateAuthority?: string | undefined;
  /** 32 bytes that the workspaces' tokens are made of. */
  readonly key: Buffer;
};

/** The path of a workspace's events below the endpoint's URL. @param workspaceId UUID */
export const toAuditPath = (workspaceId: string): string =>
  `/v1/audit/${formatId('workspace', workspaceId)}`;

const CHANGES = ['create', 'update', 'patch'];
const DELETIONS = ['delete', 'deletecollection'];

/** What is watched, without status and scale: those are the work of controllers. */
const WATCHED = [
  {
    group: '',
    resources: ['namespaces', 'resourcequotas', 'limitranges', 'serviceaccounts/token'],
  },
  { group: 'networking.k8s.io', resources: ['networkpolicies'] },
  {
    group: 'rbac.authorization.k8s.io',
    resources: ['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings'],
  },
  {
    group: 'admissionregistration.k8s.io',
    resources: ['validatingadmissionpolicies', 'validatingadmissionpolicybindings'],
  },
];

const STAGES = ['RequestReceived', 'ResponseStarted', 'Panic'];

const auditPolicy = (): object => ({
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: STAGES,
  omitManagedFields: true,
  rules: [
    // Our own writes are no news to us.
    { level: 'None', users: [SYNC_USER] },
    // Whether a deletion is a dry run stands in its body: a body overrules the query.
    { level: 'Request', verbs: DELETIONS, resources: WATCHED },
    { level: 'Metadata', verbs: CHANGES, resources: WATCHED },
    { level: 'None' },
  ],
});

/**
 * The audit policy of a workspace's kube-apiserver (audit.k8s.io/v1) and the kubeconfig of its webhook,
 * whose bearer token is good for the events of this workspace and for nothing else.
 *
 * @param workspaceId UUID
 */
export const auditConfiguration = (
  workspaceId: string,
  { url, certificateAuthority, key }: AuditEndpoint,
): NonNullable<ApiServerConfiguration['audit']> => ({
  policy: auditPolicy(),
  webhook: {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'hexabase',
        cluster: {
          server: `${url}${toAuditPath(workspaceId)}`,
          ...(certificateAuthority && {
            'certificate-authority-data': Buffer.from(certificateAuthority).toString('base64'),
          }),
        },
      },
    ],
    users: [{ name: 'apiserver', user: { token: toAuditToken(key, workspaceId) } }],
    contexts: [{ name: 'hexabase', context: { cluster: 'hexabase', user: 'apiserver' } }],
    'current-context': 'hexabase',
  },
});
