/**
 * The end of a browser's session: it takes no request under way to bring it back, what web clients were
 * granted in it ends with it, and they are told (OpenID Connect Back-Channel Logout 1.0).
 */
import { randomBytes } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { Provider } from 'oidc-provider';
import type { CommonQueryMethods } from 'slonik';
import { hash } from '../storage/adapter.ts';
import { markSessionEnded } from '../storage/session-rows.ts';
import { SESSION_SECONDS } from './time-to-live.ts';

/** A session of the provider. */
export type Session = Awaited<ReturnType<Provider['Session']['get']>>;

type BackchannelClient = NonNullable<Awaited<ReturnType<Provider['Client']['find']>>> & {
  backchannelLogout(accountId: string, sid: string): Promise<void>;
};

/** Makes the end of a session final, however it ends. */
export const keepSessionsEnded = (provider: Provider, database: CommonQueryMethods): void => {
  const { prototype } = provider.Session;
  const destroy = prototype.destroy;
  prototype.destroy = async function destroyForGood() {
    // First, so that what a request under way stores meanwhile is not kept, in the cache either.
    await markSessionEnded(database, hash(this.uid), SESSION_SECONDS);
    await destroy.call(this);
  };
};

/**
 * Puts `sid` into every ID token, also of clients without a back channel: it is the same in all tokens of
 * a client that come from one session, so that logs of clusters tell one sign-in from another.
 */
export const nameSessions = (provider: Provider): void => {
  // Not in the published types.
  const prototype = provider.Client.prototype as unknown as { includeSid(): boolean };
  prototype.includeSid = () => true;
};

/** Ends a session from elsewhere than the provider's own logout. Who can't be told doesn't keep it alive. */
export const endSession = async (provider: Provider, session: Session): Promise<void> => {
  const authorizations = Object.entries(session.authorizations ?? {});
  await session.destroy();
  for (const [, { grantId, persistsLogout }] of authorizations) {
    const grant = grantId && !persistsLogout ? await provider.Grant.find(grantId) : undefined;
    await grant?.destroy();
  }
  await Promise.all(
    authorizations.map(([clientId, { sid }]) => notify(provider, session, { clientId, sid })),
  );
};

const SIGN_IN_MEMBERS = ['accountId', 'loginTs', 'amr', 'acr', 'authorizations'];

/**
 * Makes the session of a request under way a new one, which is nobody's: what it was has been ended, and would
 * not be stored again.
 */
export const startAnew = (session: Session): void => {
  // Setting accountId to nothing is refused.
  for (const member of SIGN_IN_MEMBERS) Reflect.deleteProperty(session, member);
  session.uid = randomBytes(32).toString('base64url');
  // Else it has just got another, and still knows which row to remove.
  if (!('oldId' in session)) session.resetIdentifier();
};

/** What observers read of a request. */
const NO_REQUEST = { state: {} };

const notify = async (
  provider: Provider,
  { accountId }: Session,
  { clientId, sid }: { readonly clientId: string; readonly sid?: string | undefined },
): Promise<void> => {
  const client = (await provider.Client.find(clientId)) as BackchannelClient | undefined;
  if (!client?.backchannelLogoutUri || !accountId || !sid) return;
  // Not among the published types of events.
  const emitter: EventEmitter = provider;
  await client.backchannelLogout(accountId, sid).then(
    () => emitter.emit('backchannel.success', NO_REQUEST, client, accountId, sid),
    (error: unknown) =>
      emitter.emit('backchannel.error', NO_REQUEST, error, client, accountId, sid),
  );
};
