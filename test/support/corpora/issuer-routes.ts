/** Every address that the issuer answers: oidc-provider's, by its own metadata, and ours, by the source. */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PROVIDER_PATHS } from '../../../issuer/http/path.ts';

/** A method and a path; parameters are filled with something that isn't there. */
export type Route = { readonly method: string; readonly path: string };

const ISSUER = fileURLToPath(new URL('../../../issuer', import.meta.url));
const PREFIX = /new Router\(\{[^}]*prefix: '([^']+)'/;
const ROUTE = /\brouter\s*\.(get|post|put|patch|delete|all)\(\s*'([^']*)'/g;
const POSTED = ['/token', '/token/revocation', '/device/auth', '/session/end/confirm', '/device'];
const PARAMETER_VALUE = 'AbCdEfGhIjKlMnOpQrStU';

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

const readOwnRoutes = (): readonly Route[] =>
  globSync('**/*.ts', { cwd: ISSUER }).flatMap((file) => {
    const source = readFileSync(`${ISSUER}/${file}`, 'utf8');
    const prefix = PREFIX.exec(source)?.[1] ?? '';
    return [...source.matchAll(ROUTE)].map(([, method = '', path = '']) => ({
      method: method === 'all' ? 'GET' : method.toUpperCase(),
      path: `${prefix}${path === '/' && prefix !== '' ? '' : path}`,
    }));
  });
