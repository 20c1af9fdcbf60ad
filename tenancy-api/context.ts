/** What a request carries with it through routes and services, made anew for each transaction. */
import type { JWK } from 'jose';
import type { CommonQueryMethods, DatabaseTransactionConnection } from 'slonik';
import type { Cursors } from './cursor.ts';

/** How workspaces' tokens are made: what a kubeconfig and a workspace tell about the issuer. */
export type Issuer = {
  /** https origin, without a path. */
  readonly url: string;
  /** PEM to trust for the issuer when its certificate isn't signed by a public authority. */
  readonly certificateAuthority?: string | undefined;
};

/** A request on a public route: it has no caller and no transaction. */
export type PublicContext = { readonly issuer: Issuer };

/** One request inside its transaction. */
export type RequestContext = {
  readonly tx: DatabaseTransactionConnection;
  /** The caller (UUID). */
  readonly personId: string;
  readonly requestId: string;
  readonly ip: string;
  readonly issuer: Issuer;
  readonly cursors: Cursors;
  /** Days until a deletion is carried out; until then it can be taken back. */
  readonly deletionGraceDays: number;
  /** To which kubeconfigs of existing clusters are sealed; without it none are taken. */
  readonly kubeconfigKey: JWK | undefined;
  /** Whether the caller administers the platform, asked in the transaction that is given. */
  readonly isPlatformAdmin: (tx: CommonQueryMethods) => Promise<boolean>;
  /** Whether nothing of this will be kept: the caller only asks what would happen. */
  readonly dryRun: boolean;
  /** What the caller demands the resource's entity tag to be (RFC 9110 §13.1.1). */
  readonly ifMatch: string | undefined;
  /** The path as the caller wrote it, for links to the next page. */
  readonly path: string;
  /** Workspaces (UUIDs) whose doorbell is rung once the transaction has committed. */
  readonly changedWorkspaces: Set<string>;
};
