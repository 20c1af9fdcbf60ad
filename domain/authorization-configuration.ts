/** Whom a workspace's kube-apiserver asks before it says yes: the issuer, and then RBAC. */
import { GRANT_EXTRA } from './authentication-configuration.ts';
import { KUBERNETES_PREFIX } from './group-name.ts';
import { REVOCATION_CACHE_SECONDS } from './staleness.ts';

/** How long a request of somebody waits for the issuer at most, in milliseconds. */
export const AUTHORIZATION_TIMEOUT_MS = 500;

/**
 * The structured authorization configuration (apiserver.config.k8s.io/v1). The issuer can only refuse, and is
 * asked only about requests with a token of a sign-in of its own; while it doesn't answer, RBAC decides alone.
 *
 * @param webhook path of the kubeconfig that leads to the issuer
 * @param others names of the authorizers after it, without a configuration of their own
 */
export const authorizationConfiguration = (
  webhook: string,
  others: readonly string[] = ['RBAC'],
): Record<string, unknown> => ({
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'AuthorizationConfiguration',
  authorizers: [
    {
      type: 'Webhook',
      name: 'hexabase-revocation',
      webhook: {
        timeout: `${AUTHORIZATION_TIMEOUT_MS}ms`,
        failurePolicy: 'NoOpinion',
        subjectAccessReviewVersion: 'v1',
        matchConditionSubjectAccessReviewVersion: 'v1',
        // A yes, which there is none of; "no opinion" is kept as long as a no.
        authorizedTTL: `${REVOCATION_CACHE_SECONDS}s`,
        unauthorizedTTL: `${REVOCATION_CACHE_SECONDS}s`,
        connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: webhook },
        matchConditions: [
          { expression: `request.user.startsWith('${KUBERNETES_PREFIX}')` },
          // What components ask about others (SubjectAccessReview) has no token, and so no grant.
          { expression: `has(request.extra) && '${GRANT_EXTRA}' in request.extra` },
        ],
      },
    },
    ...others.map((type) => ({ type, name: type.toLowerCase() })),
  ],
});
