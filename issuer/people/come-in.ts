/** What every sign-in at a connector goes through, a password as much as a provider's answer. */
import { type CommonQueryMethods, sql } from 'slonik';
import * as z from 'zod';
import type { Connector, UpstreamSignIn } from '../connectors/connector.ts';
import type { SignInContext } from '../http/request.ts';
import { type AdmissionRefusal, refuseAdmission } from './admission.ts';
import { type SignedIn, signUp } from './sign-up.ts';
import type { IdentityKey } from './upstream/accounts.ts';
import { rememberSignIn, type UpstreamDeps } from './upstream/remember.ts';

/** Who came in, or why not. */
export type Admitted =
  | (SignedIn & { readonly refusal?: undefined })
  | { readonly refusal: AdmissionRefusal };

/** What {@link comeIn} needs. */
export type ComeInDeps = UpstreamDeps & { readonly connectors: readonly Connector[] };

/**
 * Lets someone in by the connector's rules, finds or makes their person, and keeps what the provider
 * says of them. Someone who is refused leaves no trace but the audit's log line; for a suspended person
 * nothing changes.
 */
export const comeIn = async (
  deps: ComeInDeps,
  signIn: UpstreamSignIn,
  context: SignInContext,
): Promise<Admitted> => {
  const { database } = deps;
  const { identity } = signIn;
  const rules = deps.connectors.find(({ id }) => id === identity.connector)?.admission;
  const known = rules?.sign_up !== 'invited' || (await isKnown(database, identity));
  const refusal = refuseAdmission(rules, identity, known);
  if (refusal) return { refusal };
  const signedIn = await signUp(database, identity, context);
  if (!signedIn.suspended) {
    const person = { ...identity, personId: signedIn.personId };
    await database.transaction((transaction) =>
      rememberSignIn(transaction, deps, { person, signIn, context }),
    );
  }
  return signedIn;
};

/** Whether an identity is somebody's already, who may not have signed in yet. */
export const isKnown = (
  db: CommonQueryMethods,
  { connector, subject }: IdentityKey,
): Promise<boolean> =>
  db.exists(sql.type(z.strictObject({}))`
    SELECT FROM identity WHERE connector = ${connector} AND subject = ${subject}
  `);
