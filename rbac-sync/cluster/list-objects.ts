/** Lists of one kind over a whole cluster, page by page. */
import * as z from 'zod';
import type { KubernetesClient } from './kubernetes-client.ts';
import { ObservedObject } from './object-store.ts';

const PAGE_SIZE = 500;
/** Ten times what any workspace should have; a server that always has another page has no end. */
const MOST_PAGES = 100;

const List = z.object({
  metadata: z.object({
    resourceVersion: z.string().regex(/^\d{1,20}$/),
    continue: z.string().optional(),
  }),
  items: z.array(z.looseObject({})),
});

/** Which objects to list. */
export type ListRequest = {
  readonly path: string;
  /** The items of a list don't say their kind. */
  readonly kind: string;
  readonly labelSelector: string;
  readonly signal?: AbortSignal | undefined;
};

/** All objects, and the resource version that they were listed at. @throws KubernetesError; RangeError without an end */
export const listObjects = async (
  client: Pick<KubernetesClient, 'request'>,
  { path, kind, labelSelector, signal }: ListRequest,
): Promise<{ objects: ObservedObject[]; version: string }> => {
  const objects: ObservedObject[] = [];
  let next: string | undefined;
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const query = { labelSelector, limit: `${PAGE_SIZE}`, ...(next && { continue: next }) };
    const page = List.parse(await client.request(path, { query, signal }));
    for (const item of page.items) objects.push(ObservedObject.parse({ ...item, kind }));
    next = page.metadata.continue;
    if (!next) return { objects, version: page.metadata.resourceVersion };
  }
  throw new RangeError(`there are more than ${MOST_PAGES * PAGE_SIZE} objects at ${path}`);
};
