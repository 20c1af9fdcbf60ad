/** What the condition Drifted says, from what was found and decided. Pure. */
import type { DriftActor } from '#domain/drift.ts';
import { toList } from '../sync/notes.ts';
import type { Statement } from '../workspace/conditions.ts';
import type { Decision } from './decide.ts';
import type { LedgerRow } from './queries.ts';

/** The gravest of what there is to say; nothing when no object of ours was touched. */
export const describeDrift = (
  decisions: readonly Decision[],
  known: readonly LedgerRow[],
): Statement | undefined => {
  const of = (action: Decision['action']) =>
    decisions.filter((each) => each.action === action && each.finding.origin === 'managed');
  const [contested, observed, adopted] = [of('contested'), of('observed'), of('adopted')];
  const [pending, repaired] = [of('pending'), of('repaired')];
  if (contested.length > 0) return describeContested(contested, known);
  if (observed.length > 0) {
    return drifted(
      'Observed',
      `${found(observed)} and left so, because the workspace observes drift: ${list(observed)}.`,
    );
  }
  if (pending.length > 0) {
    const message = `${found(pending)} and could not all be put back yet, see Synced: ${list(pending)}.`;
    return drifted('RepairFailed', message);
  }
  if (repaired.length > 0) {
    return drifted('Repaired', `${found(repaired)} and put back: ${list(repaired)}.`);
  }
  if (adopted.length > 0)
    return drifted('Adopted', `${found(adopted)} and taken over: ${list(adopted)}.`);
  return undefined;
};

const drifted = (reason: string, message: string): Statement => ({
  type: 'Drifted',
  status: 'True',
  reason,
  message,
});

const found = ({ length }: readonly Decision[]): string =>
  `${length === 1 ? '1 object was not as it should' : `${length} objects were not as they should`} be in the cluster`;

const nameOf = ({ finding: { kind, namespace, name } }: Decision): string =>
  `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;

const list = (decisions: readonly Decision[]): string => toList(decisions.map(nameOf).sort());

/** What somebody gains by it is said first: it stands open until the fight is over. */
const describeContested = (
  contested: readonly Decision[],
  known: readonly LedgerRow[],
): Statement => {
  const actors = new Map(known.map(({ key, actor }) => [key, actor]));
  const sorted = contested.toSorted((a, b) => b.finding.opened.length - a.finding.opened.length);
  const shown = sorted.slice(0, 3).map((each) => {
    const { managers, opened, key } = each.finding;
    const by = [
      describeActor(actors.get(key)),
      managers.length > 0 && `with ${managers.join(', ')}`,
    ];
    const open = opened.slice(0, 3).map(({ sentence }) => ` OPEN NOW: ${sentence}.`);
    return `${[nameOf(each), ...by].filter(Boolean).join(' ')} until ${each.retryAt?.toISOString()}.${open.join('')}`;
  });
  const more =
    contested.length > shown.length ? ` And ${contested.length - shown.length} more.` : '';
  return drifted(
    'Contested',
    `Something keeps changing what is put back, so that it is left for a while: find out what, stop it, then ask for a retry (POST …/drift/{drift}/retry) or wait. ${shown.join(' ')}${more}`.slice(
      0,
      4000,
    ),
  );
};

const describeActor = (actor: DriftActor | null | undefined): string | undefined => {
  if (!actor) return undefined;
  const who = actor.name ?? actor.username;
  return `by ${who}${actor.email === null ? '' : ` <${actor.email}>`}`;
};
