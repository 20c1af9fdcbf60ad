/** What is told when some of a change could not be written. */

import { KubernetesError, toGeneralFault } from '../cluster/kubernetes-error.ts';
import type { ApplyFailure } from './apply.ts';
import { TakenNamespaceError } from './taken-namespace.ts';

/** Some changes could not be made; all others were, and are in force. */
export class ApplyError extends Error {
  override readonly name = 'ApplyError';
  /** Where; `undefined` when it concerns the whole cluster. */
  readonly namespaces: readonly (string | undefined)[];
  /** One word for machines. */
  readonly reason: 'NamespaceTaken' | 'NamespaceTerminating' | 'ApplyFailed';
  constructor(failures: readonly ApplyFailure[]) {
    const causes = failures.map(({ cause }) => cause);
    const [first] = causes;
    const more = causes.length === 1 ? '' : ` (and ${causes.length - 1} more)`;
    super(`${tell(first)}${more}`, { cause: new AggregateError(causes) });
    this.namespaces = failures.map(({ namespace }) => namespace);
    this.reason =
      first instanceof TakenNamespaceError
        ? 'NamespaceTaken'
        : first instanceof TerminatingNamespaceError
          ? 'NamespaceTerminating'
          : 'ApplyFailed';
  }
}

/** A project's namespace is still that of a project before it, and on its way out. */
export class TerminatingNamespaceError extends Error {
  override readonly name = 'TerminatingNamespaceError';
}

const tell = (cause: unknown): string =>
  cause instanceof KubernetesError ||
  cause instanceof TakenNamespaceError ||
  cause instanceof TerminatingNamespaceError
    ? cause.message
    : toGeneralFault(cause);
