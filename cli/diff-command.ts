/**
 * `hexabase diff`: what would be changed in a workspace's cluster just now, as `kubectl diff` shows it,
 * with its exit codes: 0 nothing would, 1 something would, more than 1 it could not be found out.
 */
import { type Command, Option } from 'commander';
import { type Schemas, type TenancyApiClient, unwrap } from '../client/client.ts';
import { connectApi, findWorkspace } from './api.ts';
import { addSignInOptions, parseUrl, type SignInFlags } from './options.ts';
import { renderDiff, renderNotes } from './render-diff.ts';

type Flags = SignInFlags & { readonly apiUrl: URL; readonly output: 'diff' | 'json' };

const WAIT_SECONDS = 10;
const DEADLINE_MS = 300_000;

/** Adds the command to the program. */
export const addDiffCommand = (program: Command): void => {
  addSignInOptions(
    program
      .command('diff')
      .description('print what would be changed in a workspace’s cluster just now; changes nothing')
      .argument('<workspace>', 'its id, or organization/workspace by their slugs')
      .addOption(
        new Option('--api-url <url>', 'the tenancy API')
          .env('HEXABASE_API_URL')
          .argParser(parseUrl)
          .makeOptionMandatory(),
      ),
  )
    .addOption(new Option('-o, --output <format>').choices(['diff', 'json']).default('diff'))
    .action(run);
};

const run = async (name: string, flags: Flags): Promise<void> => {
  const client = connectApi(flags);
  const workspace = await findWorkspace(client, name);
  const { diff } = await unwrap(
    client.POST('/v1/workspaces/{workspace}/diffs', { params: { path: { workspace } } }),
  );
  const { result } = await untilEnded(client, diff);
  if (flags.output === 'json') process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  else process.stdout.write(renderDiff(result));
  process.stderr.write(renderNotes(result));
  process.exitCode = result.objects.length + result.omitted > 0 ? 1 : 0;
};

type Diff = Schemas['Diff'];

/** @throws with what the API says of it when there is no result, and after five minutes */
const untilEnded = async (
  client: TenancyApiClient,
  { id, workspace }: Diff,
): Promise<Diff & { readonly result: NonNullable<Diff['result']> }> => {
  const deadline = Date.now() + DEADLINE_MS;
  while (Date.now() < deadline) {
    const diff = await unwrap(
      client.GET('/v1/workspaces/{workspace}/diffs/{diff}', {
        params: { path: { workspace, diff: id } },
        headers: { Prefer: `wait=${WAIT_SECONDS}` },
      }),
    );
    if (diff.result) return { ...diff, result: diff.result };
    if (diff.finished_at !== null) throw new Error(diff.error ?? `The diff was ${diff.state}.`);
  }
  throw new Error('Nobody has answered for five minutes. Is rbac-sync running?');
};
