/** What to do about each thing found, by the workspace's mode and by what was done before. Pure. */
import type { DriftAction, DriftMode } from '#domain/drift.ts';
import type { Adoption } from './adoption.ts';
import type { Finding } from './findings.ts';

/** A row of the ledger that is open, or that was closed a short while ago. */
export type KnownDrift = {
  readonly id: string;
  readonly key: string;
  readonly action: DriftAction;
  readonly desiredHash: string | null;
  readonly resolvedAt: Date | null;
  readonly retryAt: Date | null;
};

/** What is done about a finding. */
export type Decision = {
  readonly finding: Finding;
  /** When it was found, where that was before the look: whatever was written later put it back. */
  readonly foundAt?: Date;
  readonly action: DriftAction;
  /** Why, in a sentence. */
  readonly reason: string;
  /** Whether sync leaves the object alone. */
  readonly withhold: boolean;
  /** When a contested object is forced again. */
  readonly retryAt: Date | undefined;
  /** What of the database takes the change over. */
  readonly adoption: Adoption | undefined;
};

/** What {@link decide} knows. */
export type DecisionInput = {
  readonly mode: DriftMode;
  readonly known: readonly KnownDrift[];
  readonly now: Date;
  /** How the model would say a change, or why it can't. */
  readonly adopt: (finding: Finding) => Adoption | string;
};

/** So many repairs of one object in so long, and something fights us. */
const MOST_REPAIRS = 3;
export const REPAIRS_WITHIN_MS = 10 * 60_000;

/** How long a contested object is left; shorter where somebody gains by it. */
const BACKOFF_MS = 30 * 60_000;
const OPENING_BACKOFF_MS = 5 * 60_000;

/** A decision for each finding, in the same order. */
export const decide = (findings: readonly Finding[], input: DecisionInput): Decision[] =>
  findings.map((finding) => decideOne(finding, input));

const decideOne = (finding: Finding, input: DecisionInput): Decision => {
  if (finding.origin === 'foreign') return decideForeign(finding, input);
  const { mode, now } = input;
  if (mode === 'observe') {
    return toDecision(finding, 'observed', {
      reason: 'The workspace only observes drift: it is left as it is.',
      withhold: true,
    });
  }
  const open = openRow(finding, input);
  if (open?.action === 'contested' && open.retryAt && open.retryAt > now) {
    return toDecision(finding, 'contested', {
      reason: CONTESTED,
      withhold: true,
      retryAt: open.retryAt,
    });
  }
  if (open?.action !== 'contested' && countRepairs(finding, input) >= MOST_REPAIRS) {
    const wait = finding.opened.length > 0 ? OPENING_BACKOFF_MS : BACKOFF_MS;
    return toDecision(finding, 'contested', {
      reason: CONTESTED,
      withhold: true,
      retryAt: new Date(now.getTime() + wait),
    });
  }
  if (mode === 'adopt') return decideAdoption(finding, input);
  return toDecision(finding, 'repaired', { reason: isLoss(finding) ? MADE_AGAIN : PUT_BACK });
};

/** How a repair reads in the ledger. */
export const PUT_BACK = 'It was put back.';
const MADE_AGAIN = 'It was made again, empty: what was in it is lost.';

/** A namespace takes its content along. */
const isLoss = ({ kind, change }: Finding): boolean => kind === 'Namespace' && change === 'deleted';

const CONTESTED =
  'Something changes it again each time it is put back: find out what, then ask for a retry; until then it is forced again from time to time.';

const decideAdoption = (finding: Finding, { adopt }: DecisionInput): Decision => {
  const adoption = adopt(finding);
  if (typeof adoption !== 'string') {
    return toDecision(finding, 'adopted', {
      reason: adoption.sentence,
      withhold: true,
      adoption,
    });
  }
  return toDecision(finding, 'repaired', {
    reason: `It was put back, because it can’t be taken over: ${adoption}`,
  });
};

const decideForeign = (finding: Finding, input: DecisionInput): Decision => {
  if (openRow(finding, input)?.action === 'adopted') {
    return toDecision(finding, 'adopted', {
      reason: 'It was taken over.',
    });
  }
  if (input.mode !== 'adopt') {
    return toDecision(finding, 'reported', {
      reason: 'It is not managed here: it stays until somebody removes it.',
    });
  }
  const adoption = input.adopt(finding);
  return typeof adoption === 'string'
    ? toDecision(finding, 'reported', { reason: `It can’t be taken over: ${adoption}` })
    : toDecision(finding, 'adopted', { reason: adoption.sentence, adoption });
};

const openRow = ({ key }: Finding, { known }: DecisionInput): KnownDrift | undefined =>
  known.find((row) => row.key === key && row.resolvedAt === null);

const countRepairs = ({ key }: Finding, { known, now }: DecisionInput): number =>
  known.filter(
    (row) =>
      row.key === key &&
      row.action === 'repaired' &&
      row.resolvedAt !== null &&
      now.getTime() - row.resolvedAt.getTime() < REPAIRS_WITHIN_MS,
  ).length;

const toDecision = (
  finding: Finding,
  action: DriftAction,
  rest: Partial<Decision> & Pick<Decision, 'reason'>,
): Decision => ({
  finding,
  action,
  withhold: false,
  retryAt: undefined,
  adoption: undefined,
  ...rest,
});

/** Keys of what sync leaves alone: with a namespace that is not there goes all that would be in it. */
export const listWithheld = (
  decisions: readonly Decision[],
  keys: Iterable<string>,
): ReadonlySet<string> => {
  const withheld = new Set(
    decisions.filter((each) => each.withhold).map(({ finding }) => finding.key),
  );
  const gone = new Set(
    decisions
      .filter((each) => each.withhold && each.finding.change === 'deleted')
      .filter(({ finding }) => finding.kind === 'Namespace')
      .map(({ finding }) => finding.name),
  );
  for (const key of keys) if (gone.has(key.split('/')[1] ?? '')) withheld.add(key);
  return withheld;
};
