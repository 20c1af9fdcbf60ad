/**
 * Everything that the API tells a caller about a failure (RFC 9457). A {@link Problem} is what the
 * caller may know; anything else that is thrown is a fault, answered with a bare 500 and logged.
 */

const BASE = 'https://kaas.hexabase.io/problems';

const problemType = (name: string, status: number, title: string) =>
  ({ type: `${BASE}/${name}`, status, title }) as const;

/** One kind of problem: a stable URI, its HTTP status, and a title that never varies. */
export type ProblemType = {
  readonly type: string;
  readonly status: number;
  readonly title: string;
};

/** The catalogue. A type, once released, keeps its URI, its status and its meaning. */
export const PROBLEMS = {
  invalidRequest: problemType('invalid-request', 400, 'The request is not valid'),
  malformedJson: problemType('malformed-json', 400, 'The body is not JSON'),
  invalidCursor: problemType('invalid-cursor', 400, 'The cursor is not valid'),
  unauthenticated: problemType('unauthenticated', 401, 'An access token is needed'),
  invalidToken: problemType('invalid-token', 401, 'The access token is not valid'),
  forbidden: problemType('forbidden', 403, 'You may not do this'),
  personSuspended: problemType('person-suspended', 403, 'You are suspended'),
  notFound: problemType('not-found', 404, 'Not found'),
  methodNotAllowed: problemType('method-not-allowed', 405, 'The method is not allowed here'),
  alreadyExists: problemType('already-exists', 409, 'It exists already'),
  presetProtected: problemType('preset-protected', 409, 'It belongs to the platform'),
  groupHasChildren: problemType('group-has-children', 409, 'The group has groups below it'),
  projectHasChildren: problemType('project-has-children', 409, 'The project has projects below it'),
  lastAdmin: problemType('last-admin', 409, 'The workspace would be left without an admin'),
  mappedMembership: problemType('mapped-membership', 409, 'The membership follows from a mapping'),
  lastOwner: problemType('last-owner', 409, 'The organization would be left without an owner'),
  privateOrganization: problemType(
    'private-organization',
    409,
    'It is somebody’s private organization',
  ),
  organizationDeleting: problemType(
    'organization-deleting',
    409,
    'The organization is being deleted',
  ),
  notProvisioned: problemType('not-provisioned', 409, 'The workspace has no cluster yet'),
  organizationLimitReached: problemType(
    'organization-limit-reached',
    409,
    'The organization can have no more',
  ),
  planLimitReached: problemType('plan-limit-reached', 409, 'The plan allows no more'),
  planDoesNotFit: problemType('plan-does-not-fit', 409, 'The workspace does not fit the plan'),
  workspaceDeleting: problemType('workspace-deleting', 409, 'The workspace is being deleted'),
  workspaceSuspended: problemType('workspace-suspended', 409, 'The workspace is suspended'),
  idempotencyKeyInUse: problemType(
    'idempotency-key-in-use',
    409,
    'The first request with this key is still running',
  ),
  preconditionFailed: problemType('precondition-failed', 412, 'It has changed in the meantime'),
  driftNotContested: problemType('drift-not-contested', 409, 'The drift waits for no retry'),
  planInUse: problemType('plan-in-use', 409, 'Workspaces that have the plan would not fit'),
  bodyTooLarge: problemType('body-too-large', 413, 'The body is too large'),
  unsupportedMediaType: problemType('unsupported-media-type', 415, 'The body is not of this type'),
  unprocessable: problemType('unprocessable', 422, 'The request can’t be carried out'),
  idempotencyKeyReused: problemType(
    'idempotency-key-reused',
    422,
    'The key belongs to another request',
  ),
  invalidParent: problemType('invalid-parent', 422, 'It can’t go below this parent'),
  quotaRefused: problemType('quota-refused', 422, 'The quota goes beyond the plan'),
  roleRulesRefused: problemType('role-rules-refused', 422, 'A project role can’t hold these rules'),
  importRefused: problemType('import-refused', 422, 'The import is refused as a whole'),
  importTooLarge: problemType('import-too-large', 422, 'The import is too large'),
  preconditionRequired: problemType(
    'precondition-required',
    428,
    'The change needs an If-Match header',
  ),
  fault: problemType('internal-error', 500, 'Something went wrong on our side'),
  issuerUnavailable: problemType('issuer-unavailable', 503, 'Tokens can’t be verified just now'),
} as const satisfies Record<string, ProblemType>;

/**
 * One thing wrong with a request: in the body, by a JSON Pointer as a URI fragment (RFC 6901 §6), or
 * in the query, by the parameter's name.
 */
export type ProblemError =
  | {
      readonly pointer: string;
      readonly detail: string;
      readonly suggestion?: string | undefined;
    }
  | { readonly parameter: string; readonly detail: string };

/** What a {@link Problem} may carry besides its detail. */
export type ProblemOptions = {
  readonly errors?: readonly ProblemError[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
};

/** A failure that the caller may know about. Thrown anywhere, written by one middleware. */
export class Problem extends Error {
  readonly kind: ProblemType;
  readonly errors: readonly ProblemError[];
  readonly headers: Readonly<Record<string, string>>;

  /** @param detail says what is wrong this time and, where one can, what to do about it */
  constructor(kind: ProblemType, detail: string, options: ProblemOptions = {}) {
    super(detail, { cause: options.cause });
    this.name = 'Problem';
    this.kind = kind;
    this.errors = options.errors ?? [];
    this.headers = options.headers ?? {};
  }
}

/**
 * The one answer for what is unknown, foreign or misspelled: the same to the byte, so that nobody
 * learns from it what exists.
 */
export const notFound = (): Problem =>
  new Problem(PROBLEMS.notFound, 'There is nothing here that you can see.');

/** A JSON Pointer to a place in the body, as a URI fragment (RFC 6901 §6, without percent-encoding). */
export const toPointer = (path: readonly PropertyKey[]): string =>
  `#${path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')}`;

/** A problem about one member of the body. */
export const bodyProblem = (
  kind: ProblemType,
  path: readonly PropertyKey[],
  detail: string,
): Problem => new Problem(kind, detail, { errors: [{ pointer: toPointer(path), detail }] });
