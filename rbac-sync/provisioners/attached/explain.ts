/** What is told of a cluster that a tenant attached and that does not do as it should. */
import { errors } from 'undici';
import * as z from 'zod';
import { KubernetesError } from '../../cluster/kubernetes-error.ts';
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
  if (error instanceof KubernetesError && error.status < 400) {
    return new ProvisioningError(
      'ClusterFault',
      `The server of the kubeconfig redirects (${error.status}), which is not followed. Put a kubeconfig with the address of the API server itself at PUT /v1/workspaces/{workspace}/attached-cluster.`,
      { cause: error },
    );
  }
  if (error instanceof KubernetesError) {
    const message = `The API server of the kubeconfig answered: ${error.message.slice(0, LONGEST)}.`;
    return new ProvisioningError('ClusterFault', message, { cause: error });
  }
  if (error instanceof z.ZodError || isTooMuch(error)) {
    return new ProvisioningError(
      'ClusterFault',
      'The server of the kubeconfig answers with what no API server does, or with more than is taken. See that the kubeconfig leads to the API server itself. It is tried again.',
      { cause: error },
    );
  }
  if (error instanceof Error && !(error instanceof ProvisioningError)) return unreachable(error);
  return error;
};

const isTooMuch = (error: unknown): boolean => error instanceof errors.ResponseExceededMaxSizeError;

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
