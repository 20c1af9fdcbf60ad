/** From what a provider says of someone to who they are, pure. */
import * as z from 'zod';
import { UpstreamError, type UpstreamIdentity } from './connector.ts';

/** Claims of an ID token or of userinfo. */
export type Claims = Readonly<Record<string, unknown>>;

/** Under which names a provider says what. */
export type ClaimNames = {
  readonly subject_claim: string;
  readonly name_claim: string;
  readonly email_claim: string;
  readonly email_verified_claim: string;
  readonly groups_claim?: string | undefined;
};

const MAX_GROUPS = 1_000;
const MAX_LENGTH = 255;

// No half of a surrogate pair either: the database would store one like any other.
const NAME = /^[^\p{Cc}\p{Cs}]{1,255}$/u;
const Subject = z.string().regex(NAME);
const GroupNames = z.array(z.string().regex(NAME)).max(MAX_GROUPS);
const Email = z.email().max(254);

/** Whether everything that is wanted stands in the ID token, so that userinfo needn't be asked. */
export const isComplete = (idToken: Claims, names: ClaimNames): boolean =>
  [
    names.subject_claim,
    names.name_claim,
    names.email_claim,
    names.email_verified_claim,
    names.groups_claim,
  ].every((name) => name === undefined || idToken[name] !== undefined);

/**
 * Claims of both sources, the signed ID token's first. Userinfo's word that an e-mail address is
 * verified counts only for its own address.
 */
export const mergeClaims = (idToken: Claims, userinfo: Claims, names: ClaimNames): Claims => {
  const { email_claim: email, email_verified_claim: verified } = names;
  const merged = { ...userinfo, ...idToken };
  const isOneAddress = merged[email] === userinfo[email];
  return isOneAddress || idToken[verified] !== undefined
    ? merged
    : { ...merged, [verified]: undefined };
};

/**
 * Who someone is by their claims. An e-mail address is verified only by the boolean `true`.
 *
 * @throws UpstreamError `invalid` without a usable subject
 */
export const toIdentity = (
  connector: string,
  claims: Claims,
  names: ClaimNames,
): UpstreamIdentity => {
  const subject = Subject.safeParse(claims[names.subject_claim]);
  if (!subject.success) throw new UpstreamError(connector, 'invalid');
  const email = toEmail(claims[names.email_claim]);
  const candidates = [claims[names.name_claim], claims['preferred_username'], email];
  return {
    connector,
    subject: subject.data,
    displayName: toDisplayName(candidates) ?? subject.data,
    email,
    emailVerified: email !== undefined && claims[names.email_verified_claim] === true,
  };
};

/** An e-mail address, or nothing when it isn't well-formed. */
export const toEmail = (value: unknown): string | undefined => Email.safeParse(value).data;

// Control characters and line ends; what turns the direction of writing (the Unicode Bidirectional
// Algorithm's embeddings, overrides, isolates and marks); and what isn't seen, but for joiners and variation
// selectors, which Persian, Indic scripts and emoji are written with.
const UNSEEN =
  /[[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\u2800]--[\u200c\u200d\ufe00-\ufe0f\u{e0100}-\u{e01ef}]]+/gv;
const SEEN = /[^\s\p{Default_Ignorable_Code_Point}]/v;

/**
 * The first of these that is a text to show, in one line of at most 255 characters and without those that
 * make a name look like another.
 */
export const toDisplayName = (candidates: readonly unknown[]): string | undefined =>
  candidates
    .filter((each) => typeof each === 'string')
    .map((each) => each.replace(UNSEEN, ' ').trim())
    .map((each) => each.toWellFormed().slice(0, MAX_LENGTH).toWellFormed())
    .find((each) => SEEN.test(each));

/**
 * The groups of a claim, sorted and each once; none when the claim is missing, as providers leave out
 * an empty list.
 *
 * @throws UpstreamError `invalid` when the claim is no list of up to 1,000 names, or the provider says
 * that there are too many to list (OpenID Connect Core §5.6.2): a part of them would be a lie
 */
export const toGroups = (connector: string, claims: Claims, groupsClaim: string): string[] => {
  const elsewhere = claims['_claim_names'];
  const isElsewhere =
    typeof elsewhere === 'object' && elsewhere !== null && groupsClaim in elsewhere;
  const groups = GroupNames.safeParse(claims[groupsClaim] ?? []);
  if (isElsewhere || !groups.success) throw new UpstreamError(connector, 'invalid');
  return [...new Set(groups.data)].toSorted();
};
