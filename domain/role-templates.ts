/**
 * Rules to start a project role from, for the jobs that most teams have. A template is copied, not
 * referred to: a role made from it is its project's own, and stays as it is when the template changes.
 * Whoever may start a pod, by whatever kind, can give it any secret and service account of the project:
 * the descriptions say so where it is so.
 */
import type { PolicyRule } from './policy-rule.ts';

/** Rules with the name of the job that they are for. */
export type RoleTemplate = {
  /** A name that a project role can have. */
  readonly name: string;
  readonly description: string;
  readonly rules: readonly PolicyRule[];
};

const READ = ['get', 'list', 'watch'];
const WRITE = ['create', 'update', 'patch', 'delete'];

const rule = (apiGroup: string, resources: string[], verbs: string[]): PolicyRule => ({
  apiGroups: [apiGroup],
  resources,
  verbs,
});

const WORKLOADS = ['deployments', 'statefulsets', 'daemonsets', 'replicasets'];
const JOBS = ['jobs', 'cronjobs'];

const READ_WORKLOADS = [
  rule('', ['pods', 'services', 'configmaps', 'persistentvolumeclaims', 'events'], READ),
  rule('', ['serviceaccounts', 'resourcequotas', 'limitranges'], READ),
  rule('apps', WORKLOADS, READ),
  rule('batch', JOBS, READ),
  rule('autoscaling', ['horizontalpodautoscalers'], READ),
  rule('networking.k8s.io', ['ingresses', 'networkpolicies'], READ),
  rule('policy', ['poddisruptionbudgets'], READ),
];
const READ_LOGS = [rule('', ['pods'], READ), rule('', ['pods/log'], ['get'])];
const WRITE_WORKLOADS = [
  rule('', ['services', 'configmaps', 'persistentvolumeclaims'], WRITE),
  rule('apps', ['deployments', 'statefulsets', 'daemonsets'], WRITE),
  rule('apps', ['deployments/scale', 'statefulsets/scale'], ['get', 'update', 'patch']),
  rule('batch', JOBS, WRITE),
  rule('autoscaling', ['horizontalpodautoscalers'], WRITE),
  rule('networking.k8s.io', ['ingresses'], WRITE),
  rule('policy', ['poddisruptionbudgets'], WRITE),
];
/** Since Kubernetes 1.35 a WebSocket needs `create`, and before it `get` was enough. */
const CONNECT = ['get', 'create'];

/** The templates, from the least to the most. */
export const ROLE_TEMPLATES: readonly RoleTemplate[] = [
  {
    name: 'viewer',
    description: 'Sees workloads, their settings and events; no logs and no secrets.',
    rules: READ_WORKLOADS,
  },
  {
    name: 'log-reader',
    description: 'Sees pods and reads their logs, and nothing else.',
    rules: READ_LOGS,
  },
  {
    name: 'debugger',
    description: 'Sees workloads, reads logs, runs commands in containers and forwards ports.',
    rules: [
      ...READ_WORKLOADS,
      rule('', ['pods/log'], ['get']),
      rule('', ['pods/exec', 'pods/attach', 'pods/portforward'], CONNECT),
    ],
  },
  {
    name: 'config-editor',
    description: 'Reads and writes ConfigMaps, and sees what is deployed; no secrets.',
    rules: [rule('', ['configmaps'], [...READ, ...WRITE]), rule('apps', WORKLOADS, READ)],
  },
  {
    name: 'ci',
    description:
      'Runs jobs, which can use the project’s secrets, and reads their logs; changes nothing that is deployed.',
    rules: [
      rule('batch', ['jobs'], [...READ, 'create', 'delete']),
      ...READ_LOGS,
      rule('', ['events'], READ),
    ],
  },
  {
    name: 'deployer',
    description:
      'Rolls out workloads, which can use the project’s secrets, services and ingresses; reads no secret itself and gets into no container.',
    rules: [...READ_WORKLOADS, ...WRITE_WORKLOADS, rule('', ['pods/log'], ['get'])],
  },
  {
    name: 'developer',
    description:
      'Everything that running an application takes: workloads, settings, secrets, logs and shells.',
    rules: [
      ...READ_WORKLOADS,
      ...WRITE_WORKLOADS,
      rule('', ['pods'], [...WRITE, 'deletecollection']),
      rule('', ['secrets'], [...READ, ...WRITE]),
      rule('', ['pods/log'], ['get']),
      rule('', ['pods/exec', 'pods/attach', 'pods/portforward'], CONNECT),
    ],
  },
];
