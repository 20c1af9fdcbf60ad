import { PROBLEMS, type ProblemType } from '../problems.ts';
import type { Route } from '../route.ts';
import { canBeForbidden } from './permission.ts';

/** Every problem that a route can answer: what follows from its parts, and what its handler refuses. */
export const listProblems = (route: Route): readonly ProblemType[] => [
  ...new Set([
    PROBLEMS.invalidRequest,
    ...listTokenProblems(route),
    ...listInputProblems(route),
    ...listChangeProblems(route),
    ...route.problems,
    PROBLEMS.fault,
  ]),
];

const listTokenProblems = ({ permission }: Route): ProblemType[] =>
  permission === 'public'
    ? []
    : [
        PROBLEMS.unauthenticated,
        PROBLEMS.invalidToken,
        PROBLEMS.personSuspended,
        PROBLEMS.issuerUnavailable,
        ...(canBeForbidden(permission) ? [PROBLEMS.forbidden] : []),
      ];

const listInputProblems = ({ path, query, body }: Route): ProblemType[] => [
  ...(path.includes('{') ? [PROBLEMS.notFound] : []),
  ...(query && 'cursor' in query.shape ? [PROBLEMS.invalidCursor] : []),
  ...(body ? [PROBLEMS.malformedJson, PROBLEMS.bodyTooLarge, PROBLEMS.unsupportedMediaType] : []),
];

const listChangeProblems = ({ method, permission, ifMatch, body }: Route): ProblemType[] => [
  ...(method !== 'GET' && typeof permission !== 'string' && 'workspace' in permission
    ? [PROBLEMS.workspaceSuspended]
    : []),
  ...(method === 'POST' ? [PROBLEMS.idempotencyKeyInUse] : []),
  ...(method === 'POST' && body ? [PROBLEMS.idempotencyKeyReused] : []),
  ...(ifMatch ? [PROBLEMS.preconditionFailed, PROBLEMS.preconditionRequired] : []),
];
