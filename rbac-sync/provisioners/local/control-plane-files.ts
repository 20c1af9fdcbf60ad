/** The files that a control plane runs on: keys, certificates, its ports and its configuration. */
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { stringify } from 'yaml';
import * as z from 'zod';
import {
  type CertificateAuthority,
  type KeyPair,
  loadCertificateAuthority,
} from '#runtime/certificates.ts';

/** Loopback ports, kept so that a kubeconfig stays valid over a restart. */
const Ports = z.strictObject({ apiserver: z.int(), etcd: z.int(), etcdPeer: z.int() });
export type Ports = z.infer<typeof Ports>;

/** Where everything of one control plane lies. */
export type ControlPlanePaths = ReturnType<typeof controlPlanePaths>;

/** @param directory the control plane's own */
export const controlPlanePaths = (directory: string) => {
  const pki = join(directory, 'pki');
  const pair = (name: string) => ({
    certificate: join(pki, `${name}.crt`),
    privateKey: join(pki, `${name}.key`),
  });
  return {
    directory,
    etcdData: join(directory, 'etcd'),
    ports: join(directory, 'ports.json'),
    authentication: join(directory, 'authentication.yaml'),
    authorization: join(directory, 'authorization.yaml'),
    authorizationWebhook: join(directory, 'authorization-webhook.kubeconfig'),
    auditPolicy: join(directory, 'audit-policy.yaml'),
    auditWebhook: join(directory, 'audit-webhook.kubeconfig'),
    controllerManagerKubeconfig: join(directory, 'controller-manager.kubeconfig'),
    authorityDirectory: join(pki, 'kubernetes'),
    etcdAuthorityDirectory: join(pki, 'etcd'),
    authority: join(pki, 'kubernetes.crt'),
    etcdAuthority: join(pki, 'etcd.crt'),
    apiserver: pair('apiserver'),
    etcdServer: pair('etcd-server'),
    etcdClient: pair('etcd-client'),
    serviceAccount: { publicKey: join(pki, 'sa.pub'), privateKey: join(pki, 'sa.key') },
    pidFile: (program: string) => join(directory, `${program}.pid`),
    logFile: (program: string) => join(directory, `${program}.log`),
  } as const;
};

const CERTIFICATE_DAYS = 365;
const LOOPBACK = ['127.0.0.1', 'localhost'];

/** The two authorities: etcd has its own, so that no cluster credential reaches etcd. */
export type Authorities = {
  readonly kubernetes: CertificateAuthority;
  readonly etcd: CertificateAuthority;
};

/** Loads or makes the authorities; the same ones for good. */
export const loadAuthorities = async (paths: ControlPlanePaths): Promise<Authorities> => {
  await mkdir(paths.directory, { recursive: true, mode: 0o700 });
  const [kubernetes, etcd] = await Promise.all([
    loadCertificateAuthority(paths.authorityDirectory, 'kubernetes'),
    loadCertificateAuthority(paths.etcdAuthorityDirectory, 'etcd'),
  ]);
  return { kubernetes, etcd };
};

/** Writes every file that the programs read, certificates fresh, everything 0600. */
export const writeControlPlaneFiles = async (
  paths: ControlPlanePaths,
  { kubernetes, etcd }: Authorities,
  server: string,
): Promise<void> => {
  const [apiserver, etcdServer, etcdClient, controllerManager] = await Promise.all([
    kubernetes.sign({
      commonName: 'kube-apiserver',
      hosts: [...LOOPBACK, 'kubernetes.default.svc', '10.0.0.1'],
      days: CERTIFICATE_DAYS,
    }),
    etcd.sign({ commonName: 'etcd', hosts: LOOPBACK, days: CERTIFICATE_DAYS }),
    etcd.sign({ commonName: 'kube-apiserver', days: CERTIFICATE_DAYS }),
    kubernetes.sign({ commonName: 'system:kube-controller-manager', days: CERTIFICATE_DAYS }),
  ]);
  await Promise.all([
    writePrivate(paths.authority, kubernetes.certificate),
    writePrivate(paths.etcdAuthority, etcd.certificate),
    writePair(paths.apiserver, apiserver),
    writePair(paths.etcdServer, etcdServer),
    writePair(paths.etcdClient, etcdClient),
    writePrivate(
      paths.controllerManagerKubeconfig,
      stringify(kubeconfig(server, kubernetes.certificate, controllerManager)),
    ),
    ensureServiceAccountKeys(paths),
  ]);
};

const writePair = (paths: KeyPair, pair: KeyPair): Promise<unknown> =>
  Promise.all([
    writePrivate(paths.certificate, pair.certificate),
    writePrivate(paths.privateKey, pair.privateKey),
  ]);

/** Writes a file that only we can read; a reader sees the old one or the new one, never half of it. */
export const writePrivate = async (path: string, text: string): Promise<void> => {
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, `${text.trimEnd()}\n`, { mode: 0o600 });
  await rename(draft, path);
};

/** They sign every service account's token: with new ones all of them would stop working. */
const ensureServiceAccountKeys = async ({ serviceAccount }: ControlPlanePaths): Promise<void> => {
  // The public key is written last: when it is there, both are.
  const complete = await readFile(serviceAccount.publicKey).catch(() => undefined);
  if (complete) return;
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writePrivate(
    serviceAccount.privateKey,
    privateKey.export({ type: 'sec1', format: 'pem' }).toString(),
  );
  await writePrivate(
    serviceAccount.publicKey,
    publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  );
};

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const kubeconfig = (server: string, authority: string, client: KeyPair): object => ({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [
    { name: 'local', cluster: { server, 'certificate-authority-data': base64(authority) } },
  ],
  users: [
    {
      name: 'local',
      user: {
        'client-certificate-data': base64(client.certificate),
        'client-key-data': base64(client.privateKey),
      },
    },
  ],
  contexts: [{ name: 'local', context: { cluster: 'local', user: 'local' } }],
  'current-context': 'local',
});

/** The kept ports when they are free, else new ones, which are kept from now on. */
export const choosePorts = async (paths: ControlPlanePaths): Promise<Ports> => {
  const kept = await readPorts(paths);
  if (kept && (await Promise.all(Object.values(kept).map(isFree))).every(Boolean)) return kept;
  const [apiserver = 0, etcd = 0, etcdPeer = 0] = await findFreePorts(3);
  const ports: Ports = { apiserver, etcd, etcdPeer };
  await writePrivate(paths.ports, JSON.stringify(ports));
  return ports;
};

/** The ports chosen before, if any. */
export const readPorts = async (paths: ControlPlanePaths): Promise<Ports | undefined> => {
  const text = await readFile(paths.ports, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : Ports.parse(JSON.parse(text));
};

/** All at once, so that no port is found twice. */
const findFreePorts = async (count: number): Promise<number[]> => {
  const servers = await Promise.all(Array.from({ length: count }, () => bind(0)));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
};

const isFree = (port: number): Promise<boolean> =>
  bind(port).then(
    (server) => new Promise<boolean>((resolve) => server.close(() => resolve(true))),
    () => false,
  );

const bind = (port: number): Promise<ReturnType<typeof createServer>> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
