/** Which rights a kubeconfig needs to make a cluster safe, and which of them it lacks. */
import * as z from 'zod';
import { INSTALLER, PROBER, SYNC_ACCOUNT } from '../../cluster/identities.ts';
import type { KubernetesClient } from '../../cluster/kubernetes-client.ts';

/** A right as SelfSubjectAccessReview asks for it (authorization.k8s.io/v1). */
type Right = {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly name?: string;
  readonly namespace?: string;
};

/** What the policies, presets and our identity are installed as: policies let no other write them again. */
export const INSTALLER_CREDENTIAL = { user: INSTALLER, groups: ['system:masters'] } as const;

const RIGHTS: readonly Right[] = [
  { verb: 'get', group: '', resource: 'namespaces' },
  // With these two every other follows; and without them policies could not be upgraded.
  { verb: 'impersonate', group: '', resource: 'users', name: INSTALLER },
  { verb: 'impersonate', group: '', resource: 'groups', name: INSTALLER_CREDENTIAL.groups[0] },
  // Those who ask whether policies are in force.
  { verb: 'impersonate', group: '', resource: 'users', name: PROBER },
  { verb: 'impersonate', group: '', resource: 'serviceaccounts', ...SYNC_ACCOUNT },
];

const Review = z.object({ status: z.object({ allowed: z.boolean() }) });

/** The rights that the client's credential lacks, each as `kubectl auth can-i` writes it. */
export const listMissingRights = async (client: KubernetesClient): Promise<string[]> => {
  const missing = await Promise.all(
    RIGHTS.map(async (right) => ((await isAllowed(client, right)) ? [] : [describe(right)])),
  );
  return missing.flat();
};

const isAllowed = async (client: KubernetesClient, right: Right): Promise<boolean> => {
  const answer = await client.request('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
    method: 'POST',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: right },
    },
  });
  return Review.parse(answer).status.allowed;
};

const describe = ({ verb, resource, name }: Right): string =>
  [verb, name === undefined ? resource : `${resource}/${name}`].join(' ');
