/** Where a running vCluster's API server is reached, and the credential that vCluster left for us. */
import { Agent, request } from 'undici';
import * as z from 'zod';
import type { Credential, KubernetesClient } from '../../cluster/kubernetes-client.ts';
import { findObject } from '../../cluster/object-requests.ts';
import type { ControlPlane } from '../provisioner.ts';
import { hostError } from './host-errors.ts';
import type { HostNames } from './names.ts';
import type { Endpoint } from './settings.ts';
import { configuredServer } from './values.ts';
import { type Patience, waitFor } from './wait.ts';

/** The control plane, once it answers at its address. @throws ProvisioningError at the deadline */
export const findPlane = async (
  client: KubernetesClient,
  { names, endpoint }: { readonly names: HostNames; readonly endpoint: Endpoint },
  patience: Patience,
): Promise<ControlPlane> => {
  let missing = '';
  const look = async () => {
    const server = configuredServer(endpoint, names) ?? (await findLoadBalancer(client, names));
    missing = 'the load balancer has no address';
    if (server === undefined) return undefined;
    const certificateAuthority = (await readKubeconfigSecret(client, names))?.certificateAuthority;
    missing = `vCluster has not written the Secret ${names.kubeconfigSecret}`;
    if (certificateAuthority === undefined) return undefined;
    const obstacle = await whyNot({ server, certificateAuthority });
    missing = `${server}: ${obstacle}`;
    return obstacle === undefined ? { server, certificateAuthority } : undefined;
  };
  const found = await waitFor(look, patience, () =>
    hostError('TimedOut', `The API server can't be reached: ${missing}`),
  );
  return {
    ...found,
    bootstrapCredential: async () => {
      const secret = await readKubeconfigSecret(client, names);
      if (secret) return secret.credential;
      throw hostError('HostRefused', `The Secret ${names.kubeconfigSecret} is gone`);
    },
  };
};

const Service = z.object({
  spec: z.object({ ports: z.array(z.object({ name: z.string().optional(), port: z.int() })) }),
  status: z.object({
    loadBalancer: z.object({
      ingress: z
        .array(z.object({ ip: z.string().optional(), hostname: z.string().optional() }))
        .default([]),
    }),
  }),
});

const findLoadBalancer = async (
  client: KubernetesClient,
  { namespace, release }: HostNames,
): Promise<string | undefined> => {
  const found = await findObject(client, `/api/v1/namespaces/${namespace}/services/${release}`);
  if (found === undefined) return undefined;
  const { spec, status } = Service.parse(found);
  const [address] = status.loadBalancer.ingress;
  const host = address?.hostname ?? address?.ip;
  const port = spec.ports.find(({ name }) => name === 'https')?.port ?? 443;
  if (host === undefined) return undefined;
  return new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`).origin;
};

const decode = (text: string): string => Buffer.from(text, 'base64').toString();
const Content = z.string().transform(decode);

/** As vCluster writes it, beside the whole kubeconfig under `config`. */
const KubeconfigSecret = z.object({
  data: z
    .object({
      'certificate-authority': Content,
      'client-certificate': Content,
      'client-key': Content,
    })
    .partial()
    .default({}),
});

const readKubeconfigSecret = async (
  client: KubernetesClient,
  { namespace, kubeconfigSecret }: HostNames,
): Promise<{ certificateAuthority: string; credential: Credential } | undefined> => {
  const found = await findObject(
    client,
    `/api/v1/namespaces/${namespace}/secrets/${kubeconfigSecret}`,
  );
  if (found === undefined) return undefined;
  const { data } = KubeconfigSecret.parse(found);
  const certificateAuthority = data['certificate-authority'];
  const certificate = data['client-certificate'];
  const privateKey = data['client-key'];
  if (!certificateAuthority || !certificate || !privateKey) return undefined;
  return { certificateAuthority, credential: { certificate, privateKey } };
};

const ANSWER_MS = 5_000;

/** What keeps us from the API server: a pod that is ready is not yet one that a way leads to. */
const whyNot = async ({
  server,
  certificateAuthority,
}: Pick<ControlPlane, 'server' | 'certificateAuthority'>): Promise<string | undefined> => {
  const agent = new Agent({ connect: { ca: certificateAuthority }, allowH2: false });
  try {
    const timeouts = { headersTimeout: ANSWER_MS, bodyTimeout: ANSWER_MS };
    const response = await request(`${server}/readyz`, { dispatcher: agent, ...timeouts });
    await response.body.dump();
    return response.statusCode === 200 ? undefined : `status ${response.statusCode}`;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  } finally {
    await agent.destroy();
  }
};
