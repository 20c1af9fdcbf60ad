/** Metrics of rbac-sync; those of the work queue have client-go's names. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

const SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** The work queue's metrics. */
export type WorkQueueMetrics = {
  readonly depth: Gauge;
  readonly adds: Counter;
  readonly retries: Counter;
  readonly queueDuration: Histogram;
  readonly workDuration: Histogram;
};

/** All of rbac-sync's metrics. */
export type SyncMetrics = {
  readonly queue: WorkQueueMetrics;
  readonly reconcileDuration: Histogram<'result'>;
  readonly objectsWritten: Counter<'operation' | 'kind'>;
  readonly verificationDuration: Histogram;
  readonly leases: Gauge;
  readonly faults: Counter<'reason'>;
  /** Workspaces in which something that was written is not seen in force. */
  readonly notInForce: Set<string>;
  readonly drift: DriftMetrics;
};

/** What is changed in clusters past the platform, by kind of object. */
export type DriftMetrics = {
  readonly detected: Counter<'kind' | 'change'>;
  readonly repaired: Counter<'kind'>;
  /** `opens`: whether somebody has a right by it that they should not have. */
  readonly contested: Counter<'kind' | 'opens'>;
};

/** Registers the metrics; once per registry. */
export const createSyncMetrics = (registry: Registry): SyncMetrics => {
  const registers = [registry];
  const seconds = (name: string, help: string) =>
    new Histogram({ name, help, buckets: SECONDS, registers });
  const notInForce = new Set<string>();
  new Gauge({
    name: 'hexabase_workspaces_not_in_force',
    help: 'Workspaces with rights that were written or removed and are not seen in force.',
    registers,
    collect() {
      this.set(notInForce.size);
    },
  });
  return {
    notInForce,
    faults: new Counter({
      name: 'hexabase_reconcile_faults_total',
      help: 'Looks that ended in a fault, by the reason of its condition.',
      labelNames: ['reason'],
      registers,
    }),
    queue: {
      depth: new Gauge({ name: 'workqueue_depth', help: 'Workspaces that wait.', registers }),
      adds: new Counter({ name: 'workqueue_adds_total', help: 'Signals to look.', registers }),
      retries: new Counter({ name: 'workqueue_retries_total', help: 'Failed work.', registers }),
      queueDuration: seconds('workqueue_queue_duration_seconds', 'How long a workspace waits.'),
      workDuration: seconds('workqueue_work_duration_seconds', 'How long the work takes.'),
    },
    reconcileDuration: new Histogram({
      name: 'reconcile_duration_seconds',
      help: 'How long a reconcile takes, by its result.',
      labelNames: ['result'],
      buckets: SECONDS,
      registers,
    }),
    objectsWritten: new Counter({
      name: 'hexabase_objects_written_total',
      help: 'Objects applied to and deleted from clusters.',
      labelNames: ['operation', 'kind'],
      registers,
    }),
    verificationDuration: seconds(
      'hexabase_verification_duration_seconds',
      'From the last write until every changed grant was seen in force.',
    ),
    leases: new Gauge({
      name: 'hexabase_workspace_leases',
      help: 'Workspaces this replica looks after.',
      registers,
    }),
    drift: createDriftMetrics(registers),
  };
};

const createDriftMetrics = (registers: Registry[]): DriftMetrics => ({
  detected: new Counter({
    name: 'hexabase_drift_detected_total',
    help: 'Objects found changed past the platform, and roles and bindings of others.',
    labelNames: ['kind', 'change'],
    registers,
  }),
  repaired: new Counter({
    name: 'hexabase_drift_repaired_total',
    help: 'Objects that were put back.',
    labelNames: ['kind'],
    registers,
  }),
  contested: new Counter({
    name: 'hexabase_drift_contested_total',
    help: 'Objects that something keeps changing; with opens="true" a right stands open meanwhile.',
    labelNames: ['kind', 'opens'],
    registers,
  }),
});
