/** `npm run bench`: measures beside a floor in one run. Quote the ratios; machines are noisy. */
import { benchApi } from './api.ts';
import { benchFullSync } from './full-sync.ts';
import { benchGroupResolution } from './group-resolution.ts';
import { benchPropagation } from './propagation.ts';
import { benchRevocation } from './revocation.ts';

const BENCHMARKS = {
  groups: benchGroupResolution,
  propagation: benchPropagation,
  'full-sync': benchFullSync,
  revocation: benchRevocation,
  api: benchApi,
};

const wanted = process.argv.slice(2);
for (const [name, run] of Object.entries(BENCHMARKS)) {
  if (wanted.length === 0 || wanted.includes(name)) await run();
}
