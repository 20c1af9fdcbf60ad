/** What is so of a workspace and since when, as Kubernetes objects say it. */
import * as z from 'zod';

/** The reason of every condition while the control plane is stopped on purpose. */
export const SUSPENDED = 'Suspended';

/** One statement about a workspace. */
export const Condition = z.strictObject({
  type: z.enum(['Provisioned', 'TrustsIssuer', 'Synced', 'Drifted']),
  status: z.enum(['True', 'False', 'Unknown']),
  /** One word for machines. */
  reason: z.string(),
  /** A sentence for people. */
  message: z.string(),
  /** When the status last changed, ISO 8601. */
  lastTransitionTime: z.string(),
});
export type Condition = z.infer<typeof Condition>;

/** What is so now. */
export type Statement = Omit<Condition, 'lastTransitionTime'>;

/** A message is read by people, and what a cluster says in it can be of any length. */
export const LONGEST_MESSAGE = 10_000;

/** The conditions with these statements; the time moves only where the status does. */
export const withStatements = (
  conditions: readonly Condition[],
  statements: readonly Statement[],
  now: Date,
): Condition[] => {
  const byType = new Map(conditions.map((condition) => [condition.type, condition]));
  for (const statement of statements) {
    const known = byType.get(statement.type);
    const lastTransitionTime =
      known?.status === statement.status ? known.lastTransitionTime : now.toISOString();
    const message = statement.message.slice(0, LONGEST_MESSAGE);
    byType.set(statement.type, { ...statement, message, lastTransitionTime });
  }
  return [...byType.values()];
};
