/** What one look at a workspace works with, and what it has found out so far. */
import type { DatabasePool } from 'slonik';
import type { Doorbell } from '#runtime/doorbell.ts';
import type { AccessDeps } from '../bootstrap/access-cluster.ts';
import type { DriftLook } from '../drift/ledger.ts';
import type { SyncMetrics } from '../metrics.ts';
import type { ProvisionerRegistry } from '../provisioners/registry.ts';
import type { Lease } from '../queue/leases.ts';
import type { TrustWatch } from '../trust/trust-watch.ts';
import type { Statement } from '../workspace/conditions.ts';
import type { Workspace } from '../workspace/workspace-queries.ts';

/** What a look needs. */
export type ReconcileDeps = AccessDeps & {
  readonly db: DatabasePool;
  readonly doorbell: Pick<Doorbell, 'ring'>;
  readonly provisioners: ProvisionerRegistry;
  readonly metrics: SyncMetrics;
  readonly trust: TrustWatch;
  /** Asks for a look after so many milliseconds, unless one comes sooner. */
  readonly wakeIn: (workspaceId: string, ms: number) => void;
  /** This replica's name, different from any other's, also of its own earlier life. */
  readonly worker: string;
  readonly signal: AbortSignal;
};

/** A look at one workspace, under its lease. */
export type LookContext = ReconcileDeps & { readonly lease: Lease; readonly workspace: Workspace };

/** What is known of the workspace so far. */
export type Look = { readonly statements: Statement[]; drift: DriftLook | undefined };
