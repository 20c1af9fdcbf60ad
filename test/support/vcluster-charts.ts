/** A chart repository over HTTP with several versions of the stand-in for the vCluster chart. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const CHART = fileURLToPath(new URL('vcluster-chart', import.meta.url));
const SCHEMA = fileURLToPath(new URL('../data/vcluster/values.schema.json', import.meta.url));

/** A running repository. */
export type ChartRepository = AsyncDisposable & {
  readonly url: string;
  /** The chart as a directory, for what takes no repository. */
  readonly directory: string;
};

/** Packages each version by a real helm and serves them. @param helm path of the program */
export const startChartRepository = async (
  helm: string,
  versions: readonly string[],
): Promise<ChartRepository> => {
  const directory = await mkdtemp(join(tmpdir(), 'hexabase-charts-'));
  const chart = join(directory, 'vcluster');
  await cp(CHART, chart, { recursive: true });
  await cp(SCHEMA, join(chart, 'values.schema.json'));
  const packages = join(directory, 'packages');
  for (const version of versions) {
    await run(helm, ['package', chart, '--version', version, '--destination', packages]);
  }
  const server = createServer((request, response) => {
    readFile(join(packages, basename(request.url ?? ''))).then(
      (content) => response.end(content),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await run(helm, ['repo', 'index', packages, '--url', url]);
  return {
    url,
    directory: chart,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(directory, { recursive: true, force: true });
    },
  };
};
