/** Findings and observed objects as tests want them. */
import type { DriftOpening } from '#domain/drift.ts';
import type { ObservedObject } from '../cluster/object-store.ts';
import type { Finding } from './findings.ts';

/** An object as a watch shows it. */
export const anObserved = (
  kind: string,
  [namespace, name]: readonly [string | undefined, string],
  content: Record<string, unknown> = {},
): ObservedObject => {
  const { labels, managers = [], ...fields } = content;
  return {
    kind,
    ...fields,
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      uid: `${kind}/${name}`,
      resourceVersion: '1',
      ...(labels !== undefined && { labels: labels as Record<string, string> }),
      managedFields: (managers as string[]).map((manager) => ({
        manager,
        operation: 'Update',
        time: '2026-01-01T00:00:00Z',
      })),
    },
  };
};

/** A quota of ours that somebody has changed, unless told otherwise. */
export const aFinding = (change: Partial<Finding> = {}): Finding => ({
  key: 'ResourceQuota/shop/hexabase-plan',
  kind: 'ResourceQuota',
  namespace: 'shop',
  name: 'hexabase-plan',
  origin: 'managed',
  change: 'modified',
  managers: ['kubectl-edit'],
  changedAt: undefined,
  differences: [],
  opened: [],
  observed: undefined,
  desiredHash: 'x',
  ...change,
});

/** What a finding opens, where it does. */
export const AN_OPENING: DriftOpening = {
  sentence: 'Group hexabase:devs may, by the ClusterRole admin in shop, get secrets',
  subject: { kind: 'Group', name: 'hexabase:devs', namespace: null },
  namespace: 'shop',
  role: 'ClusterRole admin',
  rules: [],
};
