/** Names of projects: each is the name of a Namespace in the workspace's cluster. */
import * as z from 'zod';

const RESERVED = /^(default|kube|kube-.*|hexabase|hexabase-.*|openshift|openshift-.*)$/;

/** A DNS label (RFC 1123) that isn't a namespace of Kubernetes' or ours. */
export const ProjectName = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    'A project name has 1 to 63 lower-case ASCII letters, digits or "-", and starts and ends with a letter or digit (RFC 1123).',
  )
  .refine(
    (name) => !RESERVED.test(name),
    'This name is reserved: "default", "kube-…", "hexabase-…" and "openshift-…" belong to the platform.',
  );
