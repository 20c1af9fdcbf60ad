/** Finds the route that a request is for; in a radix tree, because every request asks and they are many. */
import findMyWay, { type HTTPMethod } from 'find-my-way';
import type { Route } from './route.ts';

// Nothing that is in a path is longer; what is longer names nothing.
const LONGEST_PARAMETER = 255;

/** The routes of an application. */
export type Router = {
  /** The route of a method and a path, with the path's parameters decoded; HEAD is for GET's. */
  readonly find: (method: string, path: string) => FoundRoute | undefined;
  /** The methods that a path takes, sorted; none when there is no such path (RFC 9110 §15.5.6). */
  readonly allowedMethods: (path: string) => string[];
};

/** A route and the parameters of its path. */
export type FoundRoute = {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
};

/** @throws AssertionError when two routes are for the same method and path */
export const createRouter = (routes: readonly Route[]): Router => {
  const tree = findMyWay({ caseSensitive: true, maxParamLength: LONGEST_PARAMETER });
  for (const route of routes) {
    const path = route.path.replaceAll('{', ':').replaceAll('}', '');
    tree.on(route.method, path, () => {}, route);
  }
  const methods = [...new Set(routes.map(({ method }) => method))];
  const find: Router['find'] = (method, path) => {
    const found = tree.find((method === 'HEAD' ? 'GET' : method) as HTTPMethod, path);
    return found ? { route: found.store, params: found.params as FoundRoute['params'] } : undefined;
  };
  return {
    find,
    allowedMethods: (path) => {
      const allowed: string[] = methods.filter((method) => find(method, path));
      if (allowed.length === 0) return [];
      return [...allowed, ...(allowed.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].sort();
    },
  };
};
