/** The three programs of a control plane, and the flags they run with. */
import { join } from 'node:path';
import { AUDIT_FLAGS } from '../audit-flags.ts';
import type { ControlPlanePaths, Ports } from './control-plane-files.ts';
import type { Daemon } from './daemon.ts';

/** Where the programs are, and how they should run. */
export type ProgramOptions = {
  /** A directory with `etcd`, `kube-apiserver` and `kube-controller-manager`. */
  readonly binaries: string;
  /** Trades the data's durability for speed; for tests only. */
  readonly unsafeNoFsync?: boolean | undefined;
  /** Whether there are an audit policy and a webhook to send events to. */
  readonly audited?: boolean | undefined;
  /** Whether there is an authorization configuration; otherwise RBAC decides alone. */
  readonly authorized?: boolean | undefined;
};

/** In the order in which they start; they stop in reverse. */
export type Programs = {
  readonly etcd: Daemon;
  readonly apiserver: Daemon;
  readonly controllerManager: Daemon;
};

/** The service network's range; nothing routes it, the API server wants one. */
const SERVICE_RANGE = '10.0.0.0/24';
/** Names the tokens of service accounts; keys differ per cluster, so a token is worth nothing elsewhere. */
const SERVICE_ACCOUNT_ISSUER = 'https://kubernetes.default.svc';

/** The programs of one control plane. Everything listens on the loopback interface only. */
export const describePrograms = (
  paths: ControlPlanePaths,
  ports: Ports,
  options: ProgramOptions,
): Programs => {
  const daemon = (program: string, flags: Readonly<Record<string, string>>): Daemon => ({
    program: join(options.binaries, program),
    args: Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
    pidFile: paths.pidFile(program),
    logFile: paths.logFile(program),
    mark: paths.directory,
  });
  return {
    etcd: daemon('etcd', etcdFlags(paths, ports, options)),
    apiserver: daemon('kube-apiserver', apiserverFlags(paths, ports, options)),
    controllerManager: daemon('kube-controller-manager', controllerManagerFlags(paths)),
  };
};

/** Only who holds a certificate of etcd's own authority gets in, which is the API server alone. */
const etcdFlags = (paths: ControlPlanePaths, ports: Ports, options: ProgramOptions) => {
  const client = `https://127.0.0.1:${ports.etcd}`;
  const peer = `https://127.0.0.1:${ports.etcdPeer}`;
  const { certificate, privateKey } = paths.etcdServer;
  return {
    'data-dir': paths.etcdData,
    'listen-client-urls': client,
    'advertise-client-urls': client,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': `default=${peer}`,
    'cert-file': certificate,
    'key-file': privateKey,
    'client-cert-auth': 'true',
    'trusted-ca-file': paths.etcdAuthority,
    'peer-cert-file': certificate,
    'peer-key-file': privateKey,
    'peer-client-cert-auth': 'true',
    'peer-trusted-ca-file': paths.etcdAuthority,
    // It would dial etcd with the server's certificate, which is no client's.
    'enable-grpc-gateway': 'false',
    'auto-compaction-retention': '5m',
    'log-level': 'warn',
    ...(options.unsafeNoFsync && { 'unsafe-no-fsync': 'true' }),
  };
};

const apiserverFlags = (
  paths: ControlPlanePaths,
  ports: Ports,
  { audited, authorized }: ProgramOptions,
) => ({
  'bind-address': '127.0.0.1',
  'secure-port': `${ports.apiserver}`,
  'tls-cert-file': paths.apiserver.certificate,
  'tls-private-key-file': paths.apiserver.privateKey,
  'client-ca-file': paths.authority,
  'authentication-config': paths.authentication,
  ...(authorized
    ? { 'authorization-config': paths.authorization }
    : { 'authorization-mode': 'RBAC' }),
  'etcd-servers': `https://127.0.0.1:${ports.etcd}`,
  'etcd-cafile': paths.etcdAuthority,
  'etcd-certfile': paths.etcdClient.certificate,
  'etcd-keyfile': paths.etcdClient.privateKey,
  'service-account-issuer': SERVICE_ACCOUNT_ISSUER,
  // A tenant can ask for a token of any life; one that outlives its maker by years is refused.
  'service-account-max-token-expiration': '24h',
  'service-account-key-file': paths.serviceAccount.publicKey,
  'service-account-signing-key-file': paths.serviceAccount.privateKey,
  'service-cluster-ip-range': SERVICE_RANGE,
  // A loopback address can't be an endpoint.
  'endpoint-reconciler-type': 'none',
  'allow-privileged': 'false',
  profiling: 'false',
  ...(audited && {
    'audit-policy-file': paths.auditPolicy,
    'audit-webhook-config-file': paths.auditWebhook,
    ...AUDIT_FLAGS,
  }),
});

const controllerManagerFlags = (paths: ControlPlanePaths) => ({
  kubeconfig: paths.controllerManagerKubeconfig,
  // Serves nothing, so nothing to guard.
  'secure-port': '0',
  'leader-elect': 'false',
  // Without it deleted namespaces stay Terminating and aggregated roles empty.
  'use-service-account-credentials': 'true',
  'service-account-private-key-file': paths.serviceAccount.privateKey,
  'root-ca-file': paths.authority,
  'service-cluster-ip-range': SERVICE_RANGE,
  profiling: 'false',
});
