/** What a host cluster, helm or a GitOps controller said, as a condition that says what to do. */
import { KubernetesError } from '../../cluster/kubernetes-error.ts';
import { ProvisioningError } from '../provisioner.ts';

/** In one word why there is no vCluster: the reason of the condition Provisioned. */
export type HostReason =
  | 'HostQuotaExceeded'
  | 'HostForbidden'
  | 'ChartUnavailable'
  | 'ChartRefused'
  | 'NameTaken'
  | 'Terminating'
  | 'TimedOut'
  | 'HostUnreachable'
  | 'NotRemoved'
  | 'HostRefused';

const ADVICE: Record<HostReason, string> = {
  HostQuotaExceeded: 'Give the workspace a larger plan, or the host more room',
  HostForbidden: 'Have the operator give rbac-sync this right on the host, or change its policy',
  ChartUnavailable: 'Have the operator check the chart’s name, version and repository',
  ChartRefused: 'Have the operator check that the chart’s version fits the settings',
  NameTaken: 'Have the operator remove or rename what is there',
  Terminating: 'It is tried again once that is gone; a finalizer may hold it',
  TimedOut: 'It is tried again; the operator sees more in the pods’ events on the host',
  HostUnreachable: 'It is tried again',
  NotRemoved: 'It is tried again; the operator can remove it by hand',
  HostRefused: 'It is tried again; the operator sees more on the host',
};

/** @param detail what happened, without a full stop */
export const hostError = (reason: HostReason, detail: string, cause?: unknown): ProvisioningError =>
  new ProvisioningError(reason, `${detail}. ${ADVICE[reason]}.`, { cause, goesOn: true });

const PATTERNS: readonly (readonly [HostReason, RegExp])[] = [
  ['HostQuotaExceeded', /exceeded quota|insufficient quota|must specify (limits|requests)/i],
  [
    'ChartRefused',
    /values don't meet the specifications|schema\(s\)|execution error at|no matches for kind|parse error|error calling|YAML parse error|chart\.metadata|cannot patch|updates to statefulset spec/i,
  ],
  [
    'ChartUnavailable',
    /failed to (download|fetch|pull)|chart ".*" .*not found|path ".*" not found|manifest unknown|not found in .*repositor|looks like ".*" is not a valid chart repository|no chart (name|version) found|non-absolute URLs|Chart\.yaml file is missing|could not locate chart|chart requires kubeVersion|chart pull error|invalid chart/i,
  ],
  ['NameTaken', /cannot be imported into the current release|exists and cannot be/i],
  [
    'HostUnreachable',
    /cluster unreachable|connection refused|ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|no such host|i\/o timeout|other side closed|socket hang up|Connect Timeout|certificate/i,
  ],
  ['HostForbidden', /forbidden|unauthorized|denied the request|denied request/i],
  ['TimedOut', /timed out|deadline exceeded|timeout/i],
];

/** The reason that a message speaks of. */
export const reasonOf = (message: string): HostReason =>
  PATTERNS.find(([, pattern]) => pattern.test(message))?.[0] ?? 'HostRefused';

const LONGEST = 600;

/** Takes out what no condition may show: credentials in URLs, tokens, keys and our directory for helm. */
export const redact = (text: string): string => {
  const clean = text
    .replaceAll(/-----BEGIN [^-]+-----[\s\S]*?(-----END [^-]+-----|$)/g, '…')
    .replaceAll(/:\/\/[^\s/@]+@/g, '://…@')
    .replaceAll(/\/[^\s"':]*hexabase-host-[^\s"':]*/g, '…')
    .replaceAll(/\beyJ[\w-]+\.[\w-]+(\.[\w-]*)?/g, '…')
    .replaceAll(/\b(bearer|basic|token|password|secret)[=:\s]+"?[^\s"]{8,}/gi, '$1 …')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replace(/[.。]+$/, '');
  return clean.length > LONGEST ? `${clean.slice(0, LONGEST)} …` : clean;
};

/** What helm said: its last `Error:`, which has the reason; warnings and progress go before it. */
export const helmError = (stderr: string, cause?: unknown): ProvisioningError => {
  const at = stderr.lastIndexOf('Error:');
  const detail = redact(at < 0 ? stderr : stderr.slice(at + 6));
  return hostError(reasonOf(detail), `helm could not install the vCluster: ${detail}`, cause);
};

/**
 * An error of a request to the host as one to be told; errors of ours stay as they are.
 *
 * @param what was to be done, such as `applying its NetworkPolicy`
 */
export const toHostError = (what: string, error: unknown): unknown => {
  if (error instanceof ProvisioningError || !(error instanceof Error)) return error;
  if (error instanceof KubernetesError) {
    const detail = redact(error.message.replace(/^\S+ \S+: \d+ /, ''));
    return hostError(kubernetesReason(error), `The host refused ${what}: ${detail}`, error);
  }
  // A connection that could not be made has a code; a fault of ours has none.
  if (!('code' in error) || error.name === 'AbortError') return error;
  return hostError('HostUnreachable', `The host does not answer (${String(error.code)})`, error);
};

const kubernetesReason = (error: KubernetesError): HostReason => {
  const told = reasonOf(error.message);
  if (told === 'HostQuotaExceeded') return told;
  if (error.status === 401 || error.status === 403) return 'HostForbidden';
  if (error.status >= 500) return 'HostUnreachable';
  return 'HostRefused';
};
