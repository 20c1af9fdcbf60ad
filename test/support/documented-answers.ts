/** Holds what the API answers against what its reference tells. */
import { expect } from 'vitest';
import type * as z from 'zod';
import { listImpliedHeaders } from '../../tenancy-api/openapi/headers.ts';
import { listProblems } from '../../tenancy-api/openapi/route-problems.ts';
import { ROUTES } from '../../tenancy-api/routes.ts';
import type { Answer } from './tenancy-api.ts';

const TOLD_HEADERS = [
  'Deprecation',
  'ETag',
  'Idempotent-Replayed',
  'Link',
  'Location',
  'Preference-Applied',
  'Retry-After',
  'Sunset',
];

/**
 * Every answer, in every test, is one that the reference tells of: its status, problem, headers and shape.
 */
export const assertDocumented = (method: string, path: string, answer: Answer): void => {
  const route = ROUTES.find(
    (each) =>
      each.method === method &&
      new RegExp(`^${each.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path),
  );
  if (answer.status >= 400) {
    assertProblem(path, answer);
    const types = route && listProblems(route).map(({ type }) => type);
    if (types) expect(types, `${method} ${route.path}`).toContain(answer.body.type);
    return;
  }
  if (!route) return;
  const spec = route.responses[answer.status];
  expect(spec, `${method} ${route.path} answered ${answer.status}`).toBeDefined();
  const documented = Object.keys({ ...listImpliedHeaders(route), ...spec?.headers });
  const sent = TOLD_HEADERS.filter((name) => answer.headers.has(name));
  expect(documented, `${method} ${route.path}`).toEqual(expect.arrayContaining(sent));
  const schema: z.ZodType | undefined = spec?.body;
  schema?.parse(answer.body);
};

const assertProblem = (path: string, answer: Answer): void => {
  expect(answer.headers.get('Content-Type')).toBe('application/problem+json');
  expect(answer.body).toMatchObject({
    type: expect.stringMatching(/^https:\/\/kaas\.hexabase\.io\/problems\/[a-z-]+$/),
    title: expect.any(String),
    status: answer.status,
    detail: expect.any(String),
    instance: path,
    request_id: answer.headers.get('X-Request-Id'),
  });
};
