/** Doing many things at once, but not too many, and all of them even when some fail. */

/**
 * Calls `work` for each item, at most `limit` at a time, in order.
 *
 * @returns every failure; the others were done nevertheless
 */
export const forEachConcurrently = async <Item>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<void>,
): Promise<unknown[]> => {
  const failures: unknown[] = [];
  const rest = items.values();
  const worker = async () => {
    for (const item of rest) {
      try {
        await work(item);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return failures;
};
