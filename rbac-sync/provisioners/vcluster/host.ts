/** The host cluster: its kubeconfig, our client of it, and a file that helm can use. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import * as z from 'zod';
import {
  type Credential,
  createKubernetesClient,
  type KubernetesClient,
} from '../../cluster/kubernetes-client.ts';

/** An open connection to the host. */
export type Host = AsyncDisposable & {
  readonly client: KubernetesClient;
  /** Path of a kubeconfig, for helm. */
  readonly kubeconfig: string;
  /** A directory of ours, 0700, that goes with the connection. */
  readonly directory: string;
};

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Who we are inside a pod; the token's file is replaced before the token ends. */
const IN_CLUSTER = {
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [
    {
      name: 'host',
      cluster: {
        server: 'https://kubernetes.default.svc',
        'certificate-authority': `${SERVICE_ACCOUNT}/ca.crt`,
      },
    },
  ],
  users: [{ name: 'host', user: { tokenFile: `${SERVICE_ACCOUNT}/token` } }],
  contexts: [{ name: 'host', context: { cluster: 'host', user: 'host' } }],
  'current-context': 'host',
};

/**
 * @param path of a kubeconfig; without it, the pod's own ServiceAccount
 * @throws when the kubeconfig can't be read or has a way of signing in that we don't know
 */
export const openHost = async (path: string | undefined): Promise<Host> => {
  const directory = await mkdtemp(join(tmpdir(), 'hexabase-host-'));
  const kubeconfig = path === undefined ? join(directory, 'kubeconfig') : resolve(path);
  if (path === undefined) await writeFile(kubeconfig, stringify(IN_CLUSTER), { mode: 0o600 });
  const client = createKubernetesClient(await readKubeconfig(kubeconfig));
  return {
    client,
    kubeconfig,
    directory,
    [Symbol.asyncDispose]: async () => {
      await client[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
};

const named = <Entry extends z.ZodRawShape>(entry: Entry) =>
  z.array(z.looseObject({ name: z.string(), ...entry }));

const Kubeconfig = z.looseObject({
  'current-context': z.string(),
  contexts: named({ context: z.looseObject({ cluster: z.string(), user: z.string() }) }),
  clusters: named({
    cluster: z.looseObject({
      server: z.url({ protocol: /^https$/ }),
      'certificate-authority': z.string().optional(),
      'certificate-authority-data': z.string().optional(),
    }),
  }),
  users: named({
    user: z.looseObject({
      token: z.string().optional(),
      tokenFile: z.string().optional(),
      'client-certificate': z.string().optional(),
      'client-certificate-data': z.string().optional(),
      'client-key': z.string().optional(),
      'client-key-data': z.string().optional(),
    }),
  }),
});

const readKubeconfig = async (path: string) => {
  const config = Kubeconfig.parse(parse(await readFile(path, 'utf8')));
  const context = config.contexts.find(({ name }) => name === config['current-context'])?.context;
  const cluster = config.clusters.find(({ name }) => name === context?.cluster)?.cluster;
  const user = config.users.find(({ name }) => name === context?.user)?.user;
  if (!cluster || !user) throw new Error(`the host's kubeconfig has no current cluster and user`);
  const certificateAuthority = await content(path, cluster, 'certificate-authority');
  if (!certificateAuthority) throw new Error(`the host's kubeconfig has no certificate authority`);
  return {
    server: new URL(cluster.server).origin,
    certificateAuthority,
    credential: await credentialOf(path, user),
  };
};

type User = z.infer<typeof Kubeconfig>['users'][number]['user'];

const credentialOf = async (path: string, user: User): Promise<Credential> => {
  const { token, tokenFile } = user;
  if (token !== undefined) return { token: () => token };
  if (tokenFile !== undefined) return watchedToken(resolve(dirname(path), tokenFile));
  const certificate = await content(path, user, 'client-certificate');
  const privateKey = await content(path, user, 'client-key');
  if (certificate && privateKey) return { certificate, privateKey };
  throw new Error(
    `the host's kubeconfig must have a token, a tokenFile or a client certificate; plugins are not run`,
  );
};

const TOKEN_REREAD_MS = 60_000;

/** As client-go does: the file is read again each minute, long before the old token ends. */
const watchedToken = async (path: string): Promise<Credential> => {
  let token = (await readFile(path, 'utf8')).trim();
  let readAt = Date.now();
  return {
    token: () => {
      if (Date.now() - readAt > TOKEN_REREAD_MS) {
        readAt = Date.now();
        void readFile(path, 'utf8').then(
          (text) => {
            token = text.trim();
          },
          // The one that we have is good until the API server says otherwise, and it says so clearly.
          () => {},
        );
      }
      return token;
    },
  };
};

/** `<key>-data` in base64, or the file that `<key>` names beside the kubeconfig. */
const content = async (
  path: string,
  from: Readonly<Record<string, unknown>>,
  key: string,
): Promise<string | undefined> => {
  const data = from[`${key}-data`];
  if (typeof data === 'string') return Buffer.from(data, 'base64').toString();
  const file = from[key];
  return typeof file === 'string' ? readFile(resolve(dirname(path), file), 'utf8') : undefined;
};
