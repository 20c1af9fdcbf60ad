/** Where built binaries and downloads are kept between runs, outside the checkout. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** `HEXABASE_CACHE_DIR`, else the user's cache directory (XDG Base Directory). */
export const cacheDirectory = (): string =>
  process.env['HEXABASE_CACHE_DIR'] ??
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'hexabase-kaas');
