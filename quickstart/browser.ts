/**
 * A browser for the story: opens the address it is given, fills in the sign-in form as its person
 * would, confirms, and follows every redirect, to the loopback address at the end. It stands in for
 * a desktop's browser through the BROWSER variable; nothing else of the sign-in is different.
 *
 * Usage: browser.ts URL, with HEXABASE_USERNAME, HEXABASE_PASSWORD and HEXABASE_CA_FILE set.
 */
import { readFileSync } from 'node:fs';
import { signInThroughPages } from './sign-in-pages.ts';

const [address = ''] = process.argv.slice(2);
const read = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
};

await signInThroughPages(address, {
  username: read('HEXABASE_USERNAME'),
  password: read('HEXABASE_PASSWORD'),
  certificateAuthority: readFileSync(read('HEXABASE_CA_FILE'), 'utf8'),
});
