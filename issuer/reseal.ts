/** `npm run reseal`: seals everything of the issuer's anew with the first key of ENCRYPTION_KEY. */
import { runCommand } from './keys/command.ts';
import { reseal } from './keys/reseal.ts';

await runCommand(async ({ database, encryption, print }) => {
  const { resealed, unopened } = await reseal({ database, encryption });
  print(`Sealed anew: ${resealed}.`);
  if (unopened === 0) {
    print('Everything is sealed with the first key; the others can be taken out of the setting.');
    return true;
  }
  print(
    `No key opens ${unopened} more. Add the key that they were sealed with to ENCRYPTION_KEY, or delete them; then run this again.`,
  );
  return false;
});
