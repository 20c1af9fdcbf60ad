/** Asks a kube-apiserver whether changes are in force: its RBAC cache follows our writes a moment later. */
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import type { KubernetesClient } from '../cluster/kubernetes-client.ts';
import { KubernetesError } from '../cluster/kubernetes-error.ts';
import { forEachConcurrently } from '../queue/concurrent.ts';
import type { Probe } from './verify.ts';

/** What {@link runVerification} needs to tell an old answer from a foreign grant. */
export type VerificationContext = {
  readonly client: KubernetesClient;
  /** Keys of the bindings that changed: an answer that rests on them is an old one. */
  readonly unsettled: ReadonlySet<string>;
  /** Keys of all our bindings: an answer that rests on another one rests on a tenant's. */
  readonly ours: ReadonlySet<string>;
  readonly signal?: AbortSignal | undefined;
};

/** A change was made and is not seen in force. */
export class VerificationError extends Error {
  override readonly name = 'VerificationError';
}

const IN_FLIGHT = 32;
const DEADLINE_MS = 5_000;
const LONGEST_WAIT_MS = 200;

const Review = z.object({
  status: z.object({ allowed: z.boolean(), reason: z.string().optional() }),
});

/**
 * Asks until every probe has the answer that proves it.
 *
 * @returns what is allowed by bindings that aren't ours although we took it away, for people to read
 * @throws VerificationError when a probe is without proof after five seconds, or may not be asked; what
 * kept us from asking when none could be
 */
export const runVerification = async (
  context: VerificationContext,
  probes: readonly Probe[],
): Promise<string[]> => {
  const deadline = Date.now() + DEADLINE_MS;
  const notes = new Set<string>();
  const failures = await forEachConcurrently(probes, IN_FLIGHT, async (probe) => {
    const note = await untilProven(context, probe, deadline);
    if (note !== undefined) notes.add(note);
  });
  if (failures.length > 0) {
    const told = failures.find(isTellable);
    if (!told) throw failures[0];
    throw new VerificationError(told.message, { cause: new AggregateError(failures) });
  }
  return [...notes];
};

/** A probe was answered and proves nothing, or was refused: which says something of the cluster. */
const isTellable = (failure: unknown): failure is Error =>
  failure instanceof VerificationError || failure instanceof KubernetesError;

const untilProven = async (
  context: VerificationContext,
  probe: Probe,
  deadline: number,
): Promise<string | undefined> => {
  for (let wait = 5; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    const { allowed, reason } = await review(context, probe);
    if (allowed === probe.allowed) return undefined;
    const other = allowed ? otherBinding(reason ?? '', context) : undefined;
    if (other === 'ours') return undefined;
    if (other !== undefined) return `${describe(probe)} by ${other}, which is not managed here`;
    if (Date.now() > deadline) {
      throw new VerificationError(
        `not in force: ${describe(probe)} ${allowed ? 'although it was taken away' : 'was not answered yes'}`,
      );
    }
    await delay(wait, undefined, { signal: context.signal });
  }
};

/** Asks whether a group may do something. */
export const review = async (
  { client, signal }: Pick<VerificationContext, 'client' | 'signal'>,
  { group, namespace, access }: Pick<Probe, 'group' | 'namespace' | 'access'>,
): Promise<z.infer<typeof Review>['status']> => {
  const [resource, subresource] = access.resource.split('/');
  const answer = await client.request('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
    method: 'POST',
    signal,
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: {
        groups: [group],
        resourceAttributes: {
          verb: access.verb,
          group: access.group,
          resource,
          ...(subresource && { subresource }),
          ...(access.name && { name: access.name }),
          ...(namespace && { namespace }),
        },
      },
    },
  });
  return Review.parse(answer).status;
};

const REASON = /allowed by (RoleBinding|ClusterRoleBinding) "([^"]+)"/;

/**
 * The binding that an answer rests on: `ours`, a foreign one by name, or `undefined` for one that we
 * changed, whose answer is old.
 */
const otherBinding = (reason: string, context: VerificationContext): string | undefined => {
  const key = toBindingKey(reason);
  if (key === undefined || context.unsettled.has(key)) return undefined;
  if (context.ours.has(key)) return 'ours';
  const [, kind, path] = REASON.exec(reason) ?? [];
  return `${kind} ${path}`;
};

/** The `toObjectKey` of the binding that an answer rests on. @param reason of a SubjectAccessReview */
export const toBindingKey = (reason: string): string | undefined => {
  const [, kind, path = ''] = REASON.exec(reason) ?? [];
  if (kind === undefined) return undefined;
  const slash = path.lastIndexOf('/');
  const [name, namespace] =
    kind === 'RoleBinding' ? [path.slice(0, slash), path.slice(slash + 1)] : [path, ''];
  return `${kind}/${namespace}/${name}`;
};

const describe = ({ group, namespace, access }: Probe): string =>
  `${group} may ${access.verb} ${access.resource}${access.group && `.${access.group}`} in ${namespace ?? 'the cluster'}`;
