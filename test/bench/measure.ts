/** Measuring: interleaved samples, medians, and a table. Absolute times are noise; quote the ratios. */

/** Median and 99th percentile of samples, in their unit. */
export type Summary = { readonly p50: number; readonly p99: number };

/** @throws when there is no sample */
export const summarize = (samples: readonly number[]): Summary => {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (quantile: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))];
  const [p50, p99] = [at(0.5), at(0.99)];
  if (p50 === undefined || p99 === undefined) throw new Error('nothing was measured');
  return { p50, p99 };
};

/** What to time, by name. */
export type Contenders = Readonly<Record<string, () => Promise<unknown>>>;

/**
 * Times contenders in turn, A B A B …, so that a machine whose speed drifts slows all alike.
 *
 * @returns milliseconds per call
 */
export const race = async <Names extends Contenders>(
  contenders: Names,
  { rounds, warmup }: { readonly rounds: number; readonly warmup: number },
): Promise<Record<keyof Names, Summary>> => {
  const samples = new Map<string, number[]>(Object.keys(contenders).map((name) => [name, []]));
  for (let round = -warmup; round < rounds; round += 1) {
    for (const [name, call] of Object.entries(contenders)) {
      const start = performance.now();
      await call();
      if (round >= 0) samples.get(name)?.push(performance.now() - start);
    }
  }
  return Object.fromEntries(
    Array.from(samples, ([name, values]) => [name, summarize(values)]),
  ) as Record<keyof Names, Summary>;
};

/** Prints a table with its columns aligned. */
export const printTable = (
  title: string,
  rows: readonly Record<string, string | number>[],
): void => {
  const columns = Object.keys(rows[0] ?? {});
  const cells = [columns, ...rows.map((row) => columns.map((column) => String(row[column])))];
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => line[i]?.length ?? 0)));
  console.log(`\n${title}`);
  for (const line of cells)
    console.log(line.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  '));
};
