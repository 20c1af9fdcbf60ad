/** The kubeconfig that a member downloads once: no secret in it, the plugin signs its user in. */
import { stringify } from 'yaml';
import * as z from 'zod';

/** What a kubeconfig tells. */
export type KubeconfigInput = {
  /** The name of the one context. */
  readonly name: string;
  readonly server: string;
  /** PEM of the authority that signed the kube-apiserver's certificate. */
  readonly certificateAuthority: string;
  readonly namespace?: string | undefined;
  readonly plugin: 'hexabase' | 'oidc-login';
  readonly clientId: string;
  readonly issuer: {
    readonly url: string;
    /** PEM, when the issuer's certificate isn't signed by a public authority. */
    readonly certificateAuthority?: string | undefined;
  };
};

/** The text of a kubeconfig (v1) whose user is an exec credential plugin. */
export const renderKubeconfig = (input: KubeconfigInput): string => {
  const { name, server, namespace } = input;
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name,
        cluster: {
          server,
          'certificate-authority-data': toBase64(input.certificateAuthority),
        },
      },
    ],
    users: [{ name, user: { exec: toExec(input) } }],
    contexts: [{ name, context: { cluster: name, user: name, ...(namespace && { namespace }) } }],
    'current-context': name,
  });
};

const toExec = (input: KubeconfigInput) => {
  const { plugin, clientId, issuer } = input;
  const authority = issuer.certificateAuthority;
  return {
    apiVersion: 'client.authentication.k8s.io/v1',
    ...(plugin === 'hexabase'
      ? {
          command: 'hexabase',
          args: [
            'get-token',
            '--issuer-url',
            issuer.url,
            '--client-id',
            clientId,
            ...(authority ? ['--certificate-authority-data', toBase64(authority)] : []),
          ],
          installHint: 'The command "hexabase" signs you in; install the Hexabase CLI.',
        }
      : {
          command: 'kubectl',
          args: [
            'oidc-login',
            'get-token',
            `--oidc-issuer-url=${issuer.url}`,
            `--oidc-client-id=${clientId}`,
            ...(authority ? [`--certificate-authority-data=${toBase64(authority)}`] : []),
          ],
          installHint: 'Install kubelogin: https://github.com/int128/kubelogin#setup',
        }),
    // client.authentication.k8s.io/v1 demands it; both plugins can also print a code to enter.
    interactiveMode: 'IfAvailable',
    provideClusterInfo: false,
  };
};

const toBase64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');

/** The answer that is a kubeconfig. */
export const Kubeconfig = z.string().meta({
  id: 'Kubeconfig',
  description: 'A kubeconfig (v1) in YAML.',
  examples: [
    renderKubeconfig({
      name: 'acme-online-shop',
      server: 'https://online-shop.k8s.example.com',
      certificateAuthority: '-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n',
      plugin: 'hexabase',
      clientId: 'ws_01k7st2z1tfcgswkatddy8v7g3',
      issuer: { url: 'https://id.example.com' },
    }),
  ],
});
