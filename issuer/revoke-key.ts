/** `npm run revoke-key -- KEY_ID`: revokes a signing key at once; without an id it lists the keys. */
import { type KeyChangeDeps, revokeKey, UnknownKeyError } from './keys/change-keys.ts';
import { type CommandContext, runCommand } from './keys/command.ts';
import { listSigningKeys } from './keys/queries.ts';

const [kid] = process.argv.slice(2);

await runCommand(async (context) => (kid ? revoke(context, kid) : list(context)));

async function list({ database, print }: CommandContext): Promise<boolean> {
  for (const key of await listSigningKeys(database)) {
    print(
      `${key.state.padEnd(8)} ${key.algorithm} ${key.kid} since ${key.state_since.toISOString()}`,
    );
  }
  return true;
}

async function revoke({ print, ring, ...deps }: CommandContext, id: string): Promise<boolean> {
  const revocation = await tryToRevoke(deps, id);
  if (!revocation) {
    print(`There is no key ${id}. "npm run revoke-key" lists the keys there are.`);
    return false;
  }
  await ring(id);
  print(`Revoked ${id}.`);
  if (revocation.promoted) print(`From now on ${revocation.promoted} signs.`);
  print(
    'The API refuses its tokens within seconds, and each cluster within 90: until a cluster is seen to have forgotten the key, its workspace’s condition TrustsIssuer says so.',
  );
  return true;
}

async function tryToRevoke(deps: KeyChangeDeps, id: string) {
  try {
    return await revokeKey(deps, id);
  } catch (error) {
    if (error instanceof UnknownKeyError) return undefined;
    throw error;
  }
}
