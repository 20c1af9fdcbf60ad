/** Every address that the issuer answers: oidc-provider's, by its own metadata, and ours, by the source. */
import { globSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PROVIDER_PATHS } from '../../../issuer/http/path.ts';

/** A method and a path; parameters are filled with something that isn't there. */
export type Route = { readonly method: string; readonly path: string };

const ISSUER = fileURLToPath(new URL('../../../issuer', import.meta.url));
const PREFIX = /new Router\(\{[^}]*prefix: '([^']+)'/;
const ROUTE = /\brouter\s*\.(get|post|put|patch|delete|all)\(\s*'([^']*)'/g;
const POSTED = ['/token', '/token/revocation', '/device/auth', '/session/end/confirm', '/device'];
/** What stands for each parameter of a path. */
export const PARAMETER_VALUE = 'AbCdEfGhIjKlMnOpQrStU';

/** The routes; each once. */
export const listIssuerRoutes = (): readonly Route[] => {
  const provider = [...PROVIDER_PATHS].flatMap((path) => [
    { method: 'GET', path },
    ...(POSTED.includes(path) || path === '/me' ? [{ method: 'POST', path }] : []),
    { method: 'OPTIONS', path },
  ]);
  const withParameter = ['/auth/:uid', '/device/:uid'].map((path) => ({ method: 'GET', path }));
  const fixed = ['/', '/livez', '/readyz', '/metrics', '/nowhere', '/assets/x.css'].map((path) => ({
    method: 'GET',
    path,
  }));
  const own = { method: 'POST', path: '/locale' };
  const all = [...provider, ...withParameter, ...fixed, own, ...readOwnRoutes()].map(
    ({ method, path }) => ({ method, path: path.replace(/:\w+/g, PARAMETER_VALUE) }),
  );
  return [...new Map(all.map((route) => [`${route.method} ${route.path}`, route])).values()];
};

const readOwnRoutes = (): readonly Route[] => {
  const sources = globSync('**/*.ts', { cwd: ISSUER })
    .filter((file) => !file.endsWith('.test.ts'))
    .map((file) => ({ folder: dirname(file), text: readFileSync(`${ISSUER}/${file}`, 'utf8') }));
  // Of one router whose routes stand in several files, one file of the folder has the prefix.
  const prefixes = new Map(
    sources.flatMap(({ folder, text }) => {
      const prefix = PREFIX.exec(text)?.[1];
      return prefix === undefined ? [] : [[folder, prefix] as const];
    }),
  );
  return sources.flatMap(({ folder, text }) => {
    const prefix =
      PREFIX.exec(text)?.[1] ?? (text.includes('new Router') ? '' : prefixes.get(folder));
    return [...text.matchAll(ROUTE)].map(([, method = '', path = '']) => ({
      method: method === 'all' ? 'GET' : method.toUpperCase(),
      path: `${prefix ?? ''}${path === '/' && prefix ? '' : path}`,
    }));
  });
};
