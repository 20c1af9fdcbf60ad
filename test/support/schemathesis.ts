/**
 * Schemathesis (https://schemathesis.readthedocs.io): makes requests from an OpenAPI document, good and
 * bad, and judges whether the answers are as the document says.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { access, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from '../../quickstart/cache.ts';
import { findOnPath } from '../../quickstart/go.ts';

const REQUIREMENT = 'schemathesis==4.32.5';

const run = promisify(execFile);

/** What to try. */
export type SchemathesisRun = {
  /** Of the OpenAPI document, which is served by what is to be tested. */
  readonly url: string;
  readonly token: string;
  /** Real values for parameters of paths, by name. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Others for the operations that suspend and delete, so that there is something left for the rest. */
  readonly spare: Readonly<Record<string, string>>;
  readonly maxExamples: number;
  readonly seed: number;
};

/** What came of it: the exit code, 0 when nothing was found, and what it printed. */
export type SchemathesisResult = { readonly code: number; readonly output: string };

/**
 * Runs Schemathesis to its end.
 *
 * @throws when it isn't there and can't be installed, with what to install
 */
export const runSchemathesis = async (options: SchemathesisRun): Promise<SchemathesisResult> => {
  const python = await findPython();
  const packages = await installPackages(python);
  const directory = await mkdtemp(join(tmpdir(), 'schemathesis-'));
  try {
    const config = join(directory, 'schemathesis.toml');
    await writeFile(config, toConfig(options));
    const { maxExamples, seed, url } = options;
    const command = [`--config-file=${config}`, 'run', url, '--phases=examples,coverage,fuzzing'];
    const limits = [`--max-examples=${maxExamples}`, `--seed=${seed}`, '--continue-on-failure'];
    const { stdout } = await run(python, ['-m', 'schemathesis.cli', ...command, ...limits], {
      cwd: directory,
      env: { ...process.env, PYTHONPATH: packages, NO_COLOR: '1' },
      maxBuffer: 64 << 20,
    });
    return { code: 0, output: stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: unknown; stdout?: string; stderr?: string };
    if (typeof code !== 'number') throw error;
    return { code, output: `${stdout}${stderr}` };
  } finally {
    await rm(directory, { recursive: true });
  }
};

const STATUSES = ['2xx', '401', '403', '404', '409', '412', '422', '5xx'];

// What a schema can't say is no failure: which cursors there are (400), which moments are to come (400),
// which resources are counted in whole numbers (400), what If-Match is now (412), what makes sense
// together (422). PostgreSQL stores no NUL.
const toConfig = ({ token, parameters, spare }: SchemathesisRun): string =>
  `
headers = { Authorization = ${JSON.stringify(`Bearer ${token}`)} }
generation.allow-x00 = false

[parameters]
"header.Prefer" = "wait=1"
${toParameters(parameters)}

[checks.positive_data_acceptance]
expected-statuses = ${JSON.stringify(STATUSES)}

[checks.missing_required_header]
expected-statuses = ["401", "403", "404", "409", "428"]

[[operations]]
include-method = "GET"
checks.positive_data_acceptance.expected-statuses = ${JSON.stringify([...STATUSES, '400'])}

[[operations]]
include-path-regex = "/(role-assignments|members|service-accounts|projects|plans)(/|$)"
checks.positive_data_acceptance.expected-statuses = ${JSON.stringify([...STATUSES, '400'])}

[[operations]]
include-method = "DELETE"
[operations.parameters]
${toParameters(spare)}

[[operations]]
include-path-regex = "/(suspend|resume|restore|plan|transfer)$"
[operations.parameters]
${toParameters(spare)}
`;

const toParameters = (parameters: Readonly<Record<string, string>>): string =>
  Object.entries(parameters)
    .map(([name, value]) => `"path.${name}" = ${JSON.stringify(value)}`)
    .join('\n');

const findPython = async (): Promise<string> => {
  const python = await findOnPath('python3');
  if (python) return python;
  throw new Error('The tests of the OpenAPI document need Python 3.10 or later: install python3.');
};

/** Installed aside and moved whole, so that an installation cut short is none. */
const installPackages = async (python: string): Promise<string> => {
  const directory = join(cacheDirectory(), REQUIREMENT.replace('==', '-'));
  if (await exists(directory)) return directory;
  const draft = `${directory}.${randomUUID()}`;
  await run(python, ['-m', 'pip', 'install', '--quiet', '--target', draft, REQUIREMENT]);
  await rename(draft, directory).catch(() => rm(draft, { recursive: true }));
  return directory;
};

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
