/** What went wrong between us and a kube-apiserver. */

/** A `Status` of the API server's that says no. */
export class KubernetesError extends Error {
  override readonly name = 'KubernetesError';
  /** HTTP status code. */
  readonly status: number;
  /** The API server's machine-readable reason, such as `Forbidden` or `AlreadyExists`. */
  readonly reason: string;

  /** @param request method and path, never headers: they carry credentials */
  constructor(request: string, status: number, answer: { reason?: string; message?: string }) {
    super(`${request}: ${status} ${answer.message ?? answer.reason ?? ''}`.trim());
    this.status = status;
    this.reason = answer.reason ?? '';
  }
}

/** Whether the object, or its namespace, is not there. */
export const isNotFound = (error: unknown): boolean =>
  error instanceof KubernetesError && error.status === 404;

/** Whether an object of that name is there already. */
export const isTaken = (error: unknown): boolean =>
  error instanceof KubernetesError && error.reason === 'AlreadyExists';

/** Whether the object can't be as it was sent: also what an attempt to change a roleRef is answered. */
export const isInvalid = (error: unknown): boolean =>
  error instanceof KubernetesError && error.status === 422;

/** Whether the watched version is too old to resume from (410 Gone), so that only a list helps. */
export const isGone = (error: unknown): boolean =>
  error instanceof KubernetesError && (error.status === 410 || error.reason === 'Expired');

/** Whether the credential was not accepted. */
export const isUnauthorized = (error: unknown): boolean =>
  error instanceof KubernetesError && error.status === 401;

const CONNECTION_CODES =
  /^(ECONN|ENOTFOUND|EAI_|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EPIPE|UND_ERR_|ERR_TLS_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;

/** Whether there was no answer at all: an error of Node's sockets or TLS, or of undici. */
export const isConnectionError = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  typeof error.code === 'string' &&
  CONNECTION_CODES.test(error.code);

/** What is told where nothing more may be: addresses, paths and logs of ours are not for members. */
export const toGeneralFault = (error: unknown): string =>
  isConnectionError(error)
    ? 'The API server does not answer; it is tried again.'
    : 'A fault on our side; it is tried again, and the log of rbac-sync says more.';
