/**
 * Rights that were written and are not seen in force: on the record when that begins and when it is
 * over, not at each try between.
 */
import type { CommonQueryMethods } from 'slonik';
import { recordAudit } from '#database/changes.ts';
import type { Statement } from '../workspace/conditions.ts';
import type { Workspace } from '../workspace/workspace-queries.ts';
import { NOT_IN_FORCE } from './statements.ts';

/** Reasons of looks that did not get as far as the proof, or proved only some. */
const UNPROVEN: ReadonlySet<string> = new Set(['InternalFault', 'Unreachable', 'ApplyFailed']);

/** The fault as it is stated: what was not in force is not, until a look has seen that it is. Pure. */
export const keepEpisode = (conditions: Workspace['conditions'], fault: Statement): Statement =>
  fault.type === 'Synced' && isNotInForce(conditions) && UNPROVEN.has(fault.reason)
    ? { ...fault, reason: NOT_IN_FORCE }
    : fault;

const isNotInForce = (conditions: readonly Statement[]): boolean =>
  conditions.some(({ type, reason }) => type === 'Synced' && reason === NOT_IN_FORCE);

/** What a look means for the record; nothing while an episode goes on, or is none. Pure. */
export const judgeEpisode = (
  conditions: Workspace['conditions'],
  statements: readonly Statement[],
): 'begins' | 'ends' | undefined => {
  const before = isNotInForce(conditions);
  const now = statements.findLast(({ type }) => type === 'Synced');
  if (!before && now?.reason === NOT_IN_FORCE) return 'begins';
  return before && now?.status === 'True' ? 'ends' : undefined;
};

/** Puts the beginning or the end of an episode on the record, in the transaction that states it. */
export const recordEpisode = async (
  db: CommonQueryMethods,
  { id, state, conditions }: Pick<Workspace, 'id' | 'state' | 'conditions'>,
  statements: readonly Statement[],
): Promise<void> => {
  const episode = judgeEpisode(conditions, statements);
  if (episode === undefined) return;
  const message = statements.findLast(({ type }) => type === 'Synced')?.message ?? '';
  await recordAudit(db, {
    organizationId: state.organizationId,
    workspaceId: id,
    actorId: null,
    action: episode === 'begins' ? 'workspace.rights-not-in-force' : 'workspace.rights-in-force',
    targetId: id,
    after: { message },
    requestId: null,
    ip: null,
  });
};
