/**
 * Releases by a GitOps controller of the host: a Flux `HelmRelease` with its source, or an Argo CD
 * `Application`. We apply what should be, and read in its status what came of it.
 */
import { FIELD_MANAGER } from '../../cluster/identities.ts';
import { applyObject, findObject, removeObject } from '../../cluster/object-requests.ts';
import type { Release, ReleaseDelivery } from './delivery.ts';
import type { Host } from './host.ts';
import { hostError, reasonOf, redact } from './host-errors.ts';
import { type HostNames, hostLabels } from './names.ts';
import type { Chart } from './settings.ts';
import { waitFor } from './wait.ts';

/** An object of a controller, and the path at which it is applied. */
export type GitopsObject = { readonly path: string; readonly body: object };

/** What a controller said: it is done, it failed, or it hasn't got there yet. */
export type Verdict = 'done' | 'waiting' | { readonly failed: string };

/** One kind of controller. */
export type Controller = {
  /** In the order in which they are applied; the last one is the release. */
  readonly objects: (release: Release) => readonly GitopsObject[];
  /** @param object the release as it is on the host */
  readonly judge: (object: unknown) => Verdict;
  /** What makes the controller leave the release alone, as a merge patch; none when it does anyway. */
  readonly hold?: (held: boolean) => object;
};

/** Releases by the objects of a controller. */
export const createGitops = ({ client }: Host, controller: Controller): ReleaseDelivery => ({
  apply: async (release, patience) => {
    const objects = controller.objects(release);
    for (const { path, body } of objects) {
      await applyObject(client, path, body, FIELD_MANAGER);
    }
    const { path = '' } = objects.at(-1) ?? {};
    const settled = async () => {
      const verdict = controller.judge(await findObject(client, path));
      if (typeof verdict === 'object') throw refusal(verdict.failed);
      return verdict === 'done' ? true : undefined;
    };
    const late = () => hostError('TimedOut', 'The GitOps controller has not taken the release');
    await waitFor(settled, patience, late);
  },
  remove: async (names, patience) => {
    for (const { path } of controller.objects({ names, values: {} }).toReversed()) {
      await removeObject(client, path);
      const gone = async () => ((await findObject(client, path)) === undefined ? true : undefined);
      const left = () => hostError('NotRemoved', `The GitOps controller keeps ${path}`);
      await waitFor(gone, patience, left);
    }
  },
  hold: async (names, held) => {
    const { path = '' } = controller.objects({ names, values: {} }).at(-1) ?? {};
    if (!controller.hold || (await findObject(client, path)) === undefined) return;
    const contentType = 'application/merge-patch+json';
    await client.request(path, { method: 'PATCH', contentType, body: controller.hold(held) });
  },
});

const refusal = (message: string): Error => {
  const detail = redact(message);
  return hostError(reasonOf(detail), `The GitOps controller could not install it: ${detail}`);
};

/** Whether the chart is in an OCI registry. */
export const isOci = (chart: Chart): boolean => chart.name.startsWith('oci://');

/** Metadata of an object of ours in the workspace's namespace. */
export const gitopsMetadata = (names: HostNames, name = names.release) => ({
  name,
  namespace: names.namespace,
  labels: hostLabels(names),
});
