/**
 * What a route is: one declarative object that says where it is, who may call it, what it takes and
 * answers, and which function does the work. Validation, authorization and the OpenAPI document are
 * all made from it, so they can't disagree.
 */
import type * as z from 'zod';
import type { IdentifierKind } from '#domain/identifiers.ts';
import type { OrganizationAction, PlatformAction, WorkspaceAction } from '#domain/permissions.ts';
import type { OrganizationAccess, WorkspaceAccess } from './access.ts';
import type { PublicContext, RequestContext } from './context.ts';
import type { ProblemType } from './problems.ts';

/** The identifiers that may stand in a path, by the name they have there. */
export const PATH_IDENTIFIERS = {
  organization: 'organization',
  plan: 'plan',
  workspace: 'workspace',
  group: 'group',
  group_mapping: 'groupMapping',
  person: 'person',
  service_account: 'serviceAccount',
  secret: 'clientSecret',
  key: 'clientKey',
  federated_credential: 'federatedCredential',
  project: 'project',
  role: 'projectRole',
  role_assignment: 'roleAssignment',
  task: 'task',
  diff: 'diff',
  drift: 'drift',
} as const satisfies Record<string, IdentifierKind>;

type ParameterName<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParameterName<Rest>
  : never;

/** The identifiers in a path, as UUIDs. */
export type PathParameters<Path extends string> = {
  readonly [Name in ParameterName<Path>]: string;
};

/**
 * Who may call: anyone; whoever has a valid access token; a platform administrator; or whoever may do
 * an action in the organization or workspace that the path names. With `orOrganization` the users of
 * the workspace's organization who may do that action are let in too; with `organizationOfWorkspace`
 * only they are: the life of a workspace is theirs, what is in it is its members'.
 */
export type Permission =
  | 'public'
  | 'signed-in'
  | { readonly platform: PlatformAction }
  | { readonly organization: OrganizationAction }
  | { readonly organizationOfWorkspace: OrganizationAction }
  | { readonly workspace: WorkspaceAction; readonly orOrganization?: OrganizationAction };

/** What the caller is where the path leads, as far as the permission had to find it out. */
export type AccessOf<P extends Permission> = P extends { workspace: WorkspaceAction }
  ? WorkspaceAccess
  : P extends { organizationOfWorkspace: OrganizationAction }
    ? WorkspaceAccess
    : P extends { organization: OrganizationAction }
      ? OrganizationAccess
      : null;

/** One way in which a route answers when all goes well. */
export type ResponseSpec = {
  readonly description: string;
  readonly body?: z.ZodType;
  /** The media type, when it isn't application/json. */
  readonly type?: string;
  /** Header name → what it says. */
  readonly headers?: Readonly<Record<string, string>>;
};

/** A route's answers by status. */
export type Responses = Readonly<Record<number, ResponseSpec>>;

/** What a handler gives back; written to the network only after its transaction has committed. */
export type Reply = {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

type ReplyOf<R extends Responses> = {
  [Status in keyof R & number]: {
    readonly status: Status;
    readonly headers?: Readonly<Record<string, string>>;
  } & (R[Status] extends { readonly body: infer Body extends z.ZodType }
    ? { readonly body: z.output<Body> }
    : { readonly body?: never });
}[keyof R & number];

type OutputOf<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

/** What a handler is called with. */
export type Call<Path extends string, P extends Permission, Query, Body> = {
  readonly context: P extends 'public' ? PublicContext : RequestContext;
  readonly access: AccessOf<P>;
  readonly params: PathParameters<Path>;
  readonly query: OutputOf<Query>;
  readonly body: OutputOf<Body>;
};

/** When a route was deprecated, when it ends, and where its successor is described. */
export type Deprecation = {
  readonly since: Date;
  readonly sunset?: Date;
  readonly link?: string;
};

type Definition<
  Path extends string,
  P extends Permission,
  Query extends z.ZodObject | undefined,
  Body extends z.ZodType | undefined,
  R extends Responses,
> = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With identifiers in braces, as OpenAPI writes them. */
  readonly path: Path;
  readonly summary: string;
  /** What the summary leaves open, in Markdown. */
  readonly description?: string;
  readonly permission: P;
  readonly query?: Query;
  readonly body?: Body;
  /** In bytes, when the default of 256 KiB isn't right. */
  readonly bodyLimit?: number;
  /**
   * Takes `?dry_run=true`: the handler does everything, as it would, and answers 200 with what would
   * happen; then the transaction is rolled back.
   */
  readonly dryRun?: boolean;
  /** Demands `If-Match` (RFC 9110 §13.1.1); the handler compares it with `assertVersion`. */
  readonly ifMatch?: boolean;
  /** Announces the route's end: the `Deprecation` (RFC 9745) and `Sunset` (RFC 8594) headers. */
  readonly deprecation?: Deprecation;
  readonly responses: R;
  /**
   * What the handler may refuse. What follows from the route's other parts (its token, permission, body,
   * identifiers and headers) is known without being named.
   */
  readonly problems?: readonly ProblemType[];
  readonly handler: (call: Call<Path, P, Query, Body>) => Promise<ReplyOf<NoInfer<R>>>;
  /**
   * What of a reply is kept for a repetition with the same Idempotency-Key (as stored, for a day); by
   * default all of it. A reply that shows a secret once is kept without.
   */
  readonly toKept?: (reply: ReplyOf<NoInfer<R>>) => ReplyOf<NoInfer<R>>;
  /**
   * Lets a caller wait with `Prefer: wait=N` (RFC 7240): the workspace (UUID) whose next observation
   * could change this reply, or `undefined` when the reply is final.
   */
  readonly waitsFor?: (reply: ReplyOf<NoInfer<R>>) => string | undefined;
};

/** A route of any shape, as the application mounts and documents it. */
export type Route = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly summary: string;
  readonly description: string | undefined;
  readonly permission: Permission;
  readonly query: z.ZodObject | undefined;
  readonly body: z.ZodType | undefined;
  readonly bodyLimit: number;
  readonly dryRun: boolean;
  readonly ifMatch: boolean;
  readonly deprecation: Deprecation | undefined;
  readonly responses: Responses;
  readonly problems: readonly ProblemType[];
  readonly handler: (call: {
    readonly context: RequestContext | PublicContext;
    readonly access: WorkspaceAccess | OrganizationAccess | null;
    readonly params: Readonly<Record<string, string>>;
    readonly query: unknown;
    readonly body: unknown;
  }) => Promise<Reply>;
  readonly toKept: (reply: Reply) => Reply;
  readonly waitsFor: ((reply: Reply) => string | undefined) | undefined;
};

const DEFAULT_BODY_LIMIT = 256 * 1024;

/** Checks a route's parts against each other at compile time and gives it the shape of all routes. */
export const defineRoute = <
  const Path extends string,
  const P extends Permission,
  const R extends Responses,
  Query extends z.ZodObject | undefined = undefined,
  Body extends z.ZodType | undefined = undefined,
>(
  definition: Definition<Path, P, Query, Body, R>,
): Route => {
  const defaults = {
    description: undefined,
    query: undefined,
    body: undefined,
    bodyLimit: DEFAULT_BODY_LIMIT,
    dryRun: false,
    ifMatch: false,
    deprecation: undefined,
    problems: [],
    toKept: (reply: Reply) => reply,
    waitsFor: undefined,
  };
  // The handler's own types are those of the schemas beside it, which are applied before every call.
  return { ...defaults, ...definition } as unknown as Route;
};
