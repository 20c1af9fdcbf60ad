/**
 * On which claims of another issuer's tokens a machine is recognized. A condition is a claim's whole value,
 * or a pattern in which `*` stands for a whole part between colons and slashes; as the last part it stands
 * for all that is left. So a name that merely begins like another one never passes for it.
 */

/** Claim → value or pattern; all must hold. */
export type ClaimConditions = Readonly<Record<string, string>>;

const GITHUB = 'https://token.actions.githubusercontent.com';
const GITLAB = 'https://gitlab.com';

/**
 * Claims besides `sub` that say who somebody is and that nobody can choose for themselves; a branch, an
 * environment or an actor can be anybody's. Of an issuer that isn't named here only `sub` is known to be so.
 */
const IDENTIFYING_CLAIMS: Readonly<Record<string, readonly string[]>> = {
  [GITHUB]: [
    'repository',
    'repository_id',
    'repository_owner',
    'repository_owner_id',
    'job_workflow_ref',
  ],
  [GITLAB]: ['project_id', 'project_path', 'namespace_id', 'namespace_path'],
};

/** How subjects of well-known issuers begin for everybody: what comes after it tells one from another. */
const COMMON_BEGINNINGS = [
  ['repo'],
  ['repository_owner'],
  ['project_path'],
  ['system', 'serviceaccount'],
  ['spiffe', ''],
];

const toParts = (text: string): string[] => text.split(/[:/]/);
const toSeparators = (text: string): string[] => text.match(/[:/]/g) ?? [];

/** A reason why these conditions can't be trusted, and the claim that it is about, if it is one. */
export type ConditionFault = { readonly claim: string | null; readonly detail: string };

/** What is wrong with conditions for tokens of an issuer; nothing when they single somebody out. */
export const findConditionFaults = (
  issuer: string,
  conditions: ClaimConditions,
): readonly ConditionFault[] => {
  const faults = Object.entries(conditions).flatMap(([claim, pattern]) => {
    const detail = findPatternFault(pattern);
    return detail === undefined ? [] : [{ claim, detail }];
  });
  const identifying = ['sub', ...(IDENTIFYING_CLAIMS[issuer] ?? [])];
  if (identifying.some((claim) => Object.hasOwn(conditions, claim))) return faults;
  const detail = `Anybody with a token of this issuer could match: give a condition on ${identifying.join(', or ')}.`;
  return [...faults, { claim: null, detail }];
};

const findPatternFault = (pattern: string): string | undefined => {
  const parts = toParts(pattern);
  if (parts.some((part) => part.includes('*') && part !== '*')) {
    return 'A "*" stands for a whole part between ":" and "/", as in repo:acme/web:*; it can’t stand for a piece of one.';
  }
  const first = parts.indexOf('*');
  if (first === -1) return undefined;
  const literal = parts.slice(0, first);
  const isCommon = COMMON_BEGINNINGS.some(
    (beginning) =>
      literal.length <= beginning.length && literal.every((part, i) => part === beginning[i]),
  );
  return isCommon || literal.every((part) => part === '')
    ? 'This matches everybody’s tokens of the issuer: say before the "*" whose they must be, as in repo:acme/*.'
    : undefined;
};

/** Whether a claim's value is what a pattern says. */
export const matchesPattern = (pattern: string, value: string): boolean => {
  const wanted = toParts(pattern);
  const given = toParts(value);
  const [wantedSeparators, givenSeparators] = [toSeparators(pattern), toSeparators(value)];
  const endsOpen = wanted.at(-1) === '*';
  if (endsOpen ? given.length < wanted.length : given.length !== wanted.length) return false;
  return wanted.every((part, i) => {
    if (i > 0 && wantedSeparators[i - 1] !== givenSeparators[i - 1]) return false;
    return part === '*' ? given[i] !== '' : part === given[i];
  });
};

/** Whether a token's claims meet all conditions. Text, numbers and booleans count; lists and objects never do. */
export const matchesConditions = (
  conditions: ClaimConditions,
  claims: Readonly<Record<string, unknown>>,
): boolean => {
  const entries = Object.entries(conditions);
  return (
    entries.length > 0 &&
    entries.every(([claim, pattern]) => {
      const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
      if (!['string', 'number', 'boolean'].includes(typeof value)) return false;
      return matchesPattern(pattern, String(value));
    })
  );
};
