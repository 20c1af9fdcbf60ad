/** `npm run rotate-keys`: the next keys sign from now on, or as soon as every verifier can know them. */
import { setTimeout as delay } from 'node:timers/promises';
import { rotateNow } from './keys/change-keys.ts';
import { type CommandContext, runCommand } from './keys/command.ts';
import { SIGNING_ALGORITHMS, type SigningAlgorithm, toRotationPolicy } from './keys/rotation.ts';
import { ROTATE_DAYS } from './keys/signing-keys.ts';

await runCommand(rotate);

async function rotate({ print, ring, ...deps }: CommandContext): Promise<boolean> {
  let left: readonly SigningAlgorithm[] = SIGNING_ALGORITHMS;
  for (;;) {
    const { rotated, waitSeconds } = await rotateNow(deps, toRotationPolicy(ROTATE_DAYS), left);
    left = left.filter((algorithm) => !rotated.includes(algorithm));
    for (const algorithm of rotated) print(`The next key for ${algorithm} signs from now on.`);
    if (rotated.length > 0) await ring('');
    if (left.length === 0) return true;
    print(`The next key for ${left.join(' and ')} is known everywhere in ${waitSeconds} seconds.`);
    await delay(waitSeconds * 1_000);
  }
}
