/** Prometheus metrics; names and units as the field has them. */
import { collectDefaultMetrics, Registry } from 'prom-client';

/** A registry with the process's own metrics; a service adds its own. */
export const createMetrics = (service: string): Registry => {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  return registry;
};
