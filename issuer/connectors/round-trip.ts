/**
 * The way to a provider and back. What a sign-in was started with is stored under its `state`, comes back
 * once, and only to whom it was started for: a browser's interaction, or a signed-in person's account.
 */
import { randomBytes } from 'node:crypto';
import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import * as z from 'zod';
import {
  type BeginOptions,
  type Connector,
  type RedirectConnector,
  UpstreamError,
  type UpstreamSignIn,
} from './connector.ts';

/** The model under which pending requests are stored. */
export const UPSTREAM_REQUEST = 'UpstreamRequest';

const LIFE_SECONDS = 600;
const STATE = /^(interaction|account)~([\w-]{1,64})~[\w-]{43}$/;

const PendingRequest = z.object({
  upstream: z.strictObject({
    connector: z.string(),
    state: z.string(),
    codeVerifier: z.string(),
    nonce: z.string().optional(),
    maxAge: z.int().optional(),
  }),
});

/** For whom a trip is made. */
export type Traveller = {
  /** To sign in, in the middle of an authorization request; or to link a connector to one's account. */
  readonly purpose: 'interaction' | 'account';
  /** Of the interaction, or of the session: it binds the answer to the browser. */
  readonly uid: string;
};

/** The traveller whom a `state` names; `undefined` when it isn't one of ours. */
export const parseState = (state: string | null): Traveller | undefined => {
  const [, purpose, uid] = STATE.exec(state ?? '') ?? [];
  return (purpose === 'interaction' || purpose === 'account') && uid !== undefined
    ? { purpose, uid }
    : undefined;
};

/** What a provider's answer is redeemed with. */
export type Answer = {
  readonly traveller: Traveller;
  readonly connectors: readonly Connector[];
  /** Of the callback at which the answer came in. */
  readonly connectorId: string;
  /** With the answer's parameters. */
  readonly url: URL;
};

/** Trips to providers. */
export type RoundTrips = {
  /**
   * Starts one.
   *
   * @returns where to send the browser
   * @throws UpstreamError
   */
  readonly begin: (
    connector: RedirectConnector,
    traveller: Traveller,
    options?: Omit<BeginOptions, 'state'>,
  ) => Promise<URL>;
  /**
   * Ends one: the same answer never twice, and only for the traveller and at the connector for whom it
   * was started (RFC 9700 §4.4).
   *
   * @throws UpstreamError
   */
  readonly complete: (answer: Answer) => Promise<UpstreamSignIn>;
};

/** @param store the adapter of {@link UPSTREAM_REQUEST} */
export const createRoundTrips = (store: Adapter): RoundTrips => ({
  begin: async (connector, { purpose, uid }, options = {}) => {
    const state = `${purpose}~${uid}~${randomBytes(32).toString('base64url')}`;
    const { url, request } = await connector.begin({ ...options, state });
    await store.upsert(state, { upstream: request }, LIFE_SECONDS);
    return url;
  },
  complete: async ({ traveller, connectors, connectorId, url }) => {
    const states = url.searchParams.getAll('state');
    const [state = ''] = states;
    const named = parseState(state);
    const isTheirs = named?.purpose === traveller.purpose && named.uid === traveller.uid;
    const connector = connectors.find(({ id }) => id === connectorId);
    if (connector?.kind !== 'redirect' || states.length !== 1 || !isTheirs) {
      throw new UpstreamError(connectorId, 'invalid');
    }
    const pending = PendingRequest.safeParse(await takeOnce(store, state));
    if (!pending.success || pending.data.upstream.connector !== connectorId) {
      throw new UpstreamError(connectorId, 'invalid');
    }
    return connector.complete(url, pending.data.upstream);
  },
});

/** What is stored under a state, for the first who asks. */
const takeOnce = async (store: Adapter, state: string): Promise<AdapterPayload | undefined> => {
  const payload = await store.find(state);
  if (!payload || payload['consumed']) return undefined;
  try {
    await store.consume(state);
    return payload;
  } catch (error) {
    if (error instanceof errors.InvalidGrant) return undefined;
    throw error;
  }
};
