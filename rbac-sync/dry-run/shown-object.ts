/** Objects as a diff shows them: with the fields that are ours, so that only those can differ. Pure. */
import * as z from 'zod';
import { DIFF_LIMITS, type ObjectDiff, type ShownObject } from '#domain/cluster-diff.ts';
import {
  MANAGED_BY_LABEL,
  type ManagedKind,
  type ManagedObject,
} from '#domain/kubernetes-objects.ts';
import { toApiVersion } from '../cluster/kubernetes-paths.ts';

const OUR_DOMAIN = 'kaas.hexabase.io';

const isOurs = (label: string): boolean => {
  const [prefix = ''] = label.split('/');
  return (
    label === MANAGED_BY_LABEL ||
    label === 'app.kubernetes.io/part-of' ||
    prefix === OUR_DOMAIN ||
    prefix.endsWith(`.${OUR_DOMAIN}`)
  );
};

/** Always there, or said by the API server and not by us. */
const NO_CONTENT: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata', 'status']);

/** An object of a kind that we manage, as we want it or as an API server answers it. */
export const AnsweredObject = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    labels: z.record(z.string(), z.string()).optional(),
  }),
});
type Answered = z.infer<typeof AnsweredObject> | ManagedObject;

/**
 * The fields of an object that we own.
 *
 * @param desired what we want of it, if we do: other fields and labels than its are others' to decide
 */
export const toShown = (object: Answered, desired?: ManagedObject): ShownObject => {
  const kind = object.kind as ManagedKind;
  const { name, namespace, labels = {} } = object.metadata;
  const wanted: object = desired?.metadata.labels ?? {};
  const ours = Object.entries(labels).filter(
    ([label]) => Object.hasOwn(wanted, label) || isOurs(label),
  );
  return {
    apiVersion: toApiVersion(kind),
    kind,
    metadata: { name, ...(namespace && { namespace }), labels: Object.fromEntries(ours) },
    ...pickContent(object, desired),
  };
};

const pickContent = (object: Answered, desired: ManagedObject | undefined): ShownObject => {
  // What a namespace has besides its labels is Kubernetes' own.
  const isWanted = (field: string) =>
    desired ? Object.hasOwn(desired, field) : object.kind !== 'Namespace';
  return Object.fromEntries(
    Object.entries(object).filter(([field]) => !NO_CONTENT.has(field) && isWanted(field)),
  );
};

/** As many from the front as may be kept and shown, and how many more there are. */
export const limitObjects = (
  objects: readonly ObjectDiff[],
  limits: { readonly objects: number; readonly characters: number } = DIFF_LIMITS,
): { objects: ObjectDiff[]; omitted: number } => {
  let characters = 0;
  const end = objects.findIndex((object, index) => {
    characters += JSON.stringify(object).length;
    return index >= limits.objects || characters > limits.characters;
  });
  const shown = objects.slice(0, end === -1 ? undefined : end);
  return { objects: shown, omitted: objects.length - shown.length };
};
