/**
 * `npm run openapi`: writes the API's description to `docs/openapi.json` and, made from it, the typed
 * client that the package exports. With `--check` it writes nothing, and fails when a file is stale.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { OPENAPI_DOCUMENT } from '../../tenancy-api/routes.ts';
import { generateFiles } from './generate-files.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
const source = await readFile(join(ROOT, 'client/client.ts'), 'utf8');
const files = await generateFiles(OPENAPI_DOCUMENT, source);
const stale: string[] = [];
for (const [path, content] of files) {
  const file = join(ROOT, path);
  const current = await readFile(file, 'utf8').catch(() => undefined);
  if (current === content) continue;
  stale.push(path);
  if (values.check) continue;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}
if (values.check && stale.length > 0) {
  process.stderr.write(`Stale: ${stale.join(', ')}. Run \`npm run openapi\` and commit them.\n`);
  process.exitCode = 1;
} else {
  process.stdout.write(stale.length > 0 ? `Written: ${stale.join(', ')}.\n` : 'Up to date.\n');
}
