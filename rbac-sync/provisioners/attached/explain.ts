/** What is told of a cluster that a tenant attached and that does not do as it should. */
import { KubernetesError } from '../../kubernetes-error.ts';
import { ProvisioningError } from '../provisioner.ts';

const LONGEST = 300;

/** The error in words for members: what the API server said, shortened, and nothing of our network. */
export const explain = (error: unknown): unknown => {
  if (error instanceof KubernetesError && error.status === 401) {
    return new ProvisioningError(
      'CredentialRefused',
      'The API server refuses the credential of the kubeconfig (401): it has expired or was revoked. Put a new kubeconfig at PUT /v1/workspaces/{workspace}/attached-cluster.',
      { cause: error },
    );
  }
  if (error instanceof KubernetesError && error.status === 403) {
    return new ProvisioningError(
      'MissingRights',
      `The credential of the kubeconfig may not do what it has to: ${error.message.slice(0, LONGEST)}. It needs the rights of cluster-admin.`,
      { cause: error },
    );
  }
  if (error instanceof KubernetesError) {
    const message = `The API server of the kubeconfig answered: ${error.message.slice(0, LONGEST)}.`;
    return new ProvisioningError('ClusterFault', message, { cause: error });
  }
  if (error instanceof Error && !(error instanceof ProvisioningError)) return unreachable(error);
  return error;
};

const unreachable = (error: Error): ProvisioningError => {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const hint = /CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO/.test(code)
    ? 'Its certificate is not signed by the kubeconfig’s certificate authority, or does not name its host.'
    : 'It does not answer: see that it runs and can be reached from this platform.';
  return new ProvisioningError(
    'Unreachable',
    `The API server of the kubeconfig can’t be used. ${hint} It is tried again.`,
    { cause: error },
  );
};
