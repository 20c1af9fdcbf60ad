/**
 * Who may come in through a connector: rules of its settings, asked at every sign-in and every time
 * that the provider is asked again, so that a rule that is made stricter holds for those who are in.
 */
import { domainToASCII } from 'node:url';
import * as z from 'zod';
import type { UpstreamIdentity } from '../connectors/connector.ts';

/** RFC 5321 §4.5.3.1. */
const MAX_LOCAL_PART = 64;
const MAX_DOMAIN = 253;

/** A dot-atom of RFC 5322 §3.2.3: no quotes, comments, spaces, control or non-ASCII characters. */
const DOT_ATOM = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;

/** Letters, marks and digits alone, so that no other full stop, joiner or sign is read as one. */
const DOMAIN = /^[\p{L}\p{M}\p{Nd}-]+(\.[\p{L}\p{M}\p{Nd}-]+)+$/u;

/** A host name of RFC 1123 §2.1 with at least two labels, as IDNA makes it. */
const HOST_NAME = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * A domain in the form in which domains are compared: IDNA in ASCII (RFC 5891), in lower case.
 *
 * @returns `undefined` for what isn't plainly a domain: what only reads like one after characters were
 * replaced by others (UTS #46) is not taken for it
 */
export const normalizeDomain = (text: string): string | undefined => {
  if (!DOMAIN.test(text) || text.normalize('NFKC') !== text) return undefined;
  const ascii = domainToASCII(text.toLowerCase());
  return ascii.length <= MAX_DOMAIN && HOST_NAME.test(ascii) ? ascii : undefined;
};

/**
 * The domain of an e-mail address, as {@link normalizeDomain} writes it; `undefined` for whatever isn't
 * exactly `local@domain` in its plain form.
 */
export const parseEmailDomain = (email: string): string | undefined => {
  const parts = email.split('@');
  const [local = '', domain = ''] = parts;
  if (parts.length !== 2 || local.length > MAX_LOCAL_PART || !DOT_ATOM.test(local)) {
    return undefined;
  }
  return normalizeDomain(domain);
};

/** A domain in settings; comes out as {@link normalizeDomain} writes it. */
export const Domain = z.string().transform((text, context): string => {
  const domain = normalizeDomain(text);
  if (domain === undefined) context.issues.push({ code: 'custom', message: MESSAGE, input: text });
  return domain ?? '';
});
const MESSAGE = 'Must be a domain such as "example.com", without "@" or "*".';

/** `sign_up` in a connector's settings. */
export const SignUpRule = z.enum(['open', 'invited']);

/** The rules in a connector's settings, for the schemas of connectors. */
export const admissionShape = {
  allowed_email_domains: z.array(Domain).min(1).optional(),
  sign_up: SignUpRule.optional(),
};

/** A connector's rules; without one everyone may come in. */
export type AdmissionRules = {
  /** Exactly these, and no domain below them; the address must be verified. */
  readonly allowed_email_domains?: readonly string[] | undefined;
  /** `invited`: only who was added by an import or to a workspace before. By default `open`. */
  readonly sign_up?: z.infer<typeof SignUpRule> | undefined;
};

/** Why someone may not come in. */
export type AdmissionRefusal = 'email_unverified' | 'email_domain' | 'not_invited';

/**
 * Why someone may not come in, if they may not.
 *
 * @param known whether the identity is somebody's already
 */
export const refuseAdmission = (
  rules: AdmissionRules | undefined,
  { email, emailVerified }: Pick<UpstreamIdentity, 'email' | 'emailVerified'>,
  known: boolean,
): AdmissionRefusal | undefined => {
  if (rules?.allowed_email_domains) {
    if (email === undefined || !emailVerified) return 'email_unverified';
    const domain = parseEmailDomain(email);
    if (domain === undefined || !rules.allowed_email_domains.includes(domain)) {
      return 'email_domain';
    }
  }
  return rules?.sign_up === 'invited' && !known ? 'not_invited' : undefined;
};
