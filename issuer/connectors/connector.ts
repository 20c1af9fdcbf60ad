/** Identity providers that people sign in with: one small interface for each way of doing it. */
import type { AdmissionRules } from '../people/admission.ts';

/** Who someone is at a connector. */
export type UpstreamIdentity = {
  /** The connector's id. With the subject it is the key of an account; an e-mail address never is. */
  readonly connector: string;
  /** Stable and unique at the connector. */
  readonly subject: string;
  readonly displayName: string;
  readonly email: string | undefined;
  readonly emailVerified: boolean;
};

/** Signs people in by username and password, on the issuer's own page. */
export type PasswordConnector = {
  readonly kind: 'password';
  readonly id: string;
  /** What people see. */
  readonly name: string;
  /** Who may come in; by default everyone. */
  readonly admission?: AdmissionRules | undefined;
  /** Whether an account here can be added to a person that there is; by default it can. */
  readonly linking?: boolean | undefined;
  /** The identity, or `undefined` when username and password don't belong together. */
  readonly signIn: (username: string, password: string) => Promise<UpstreamIdentity | undefined>;
};

/** What a sign-in at an identity provider was started with; it comes back with the answer, once. */
export type UpstreamRequest = {
  readonly connector: string;
  readonly state: string;
  /** RFC 7636. */
  readonly codeVerifier: string;
  /** Of OpenID Connect; not with plain OAuth. */
  readonly nonce?: string | undefined;
  /** How old the sign-in at the provider may be, in seconds, where its age matters. */
  readonly maxAge?: number | undefined;
};

/**
 * What the provider lets us ask again with while nobody is there: a refresh token or an access token.
 * A secret: it is stored sealed and never logged.
 */
export type UpstreamCredential = {
  readonly kind: 'refresh_token' | 'access_token';
  readonly value: string;
};

/** What a provider says of someone who has signed in there, or who is asked about again. */
export type UpstreamSignIn = {
  readonly identity: UpstreamIdentity;
  /** Names of groups or teams there, with all their parents; `undefined` when the connector has none. */
  readonly groups: readonly string[] | undefined;
  /** To ask again with; `undefined` when the provider gives nothing for it. */
  readonly credential: UpstreamCredential | undefined;
};

/** Signs people in at an identity provider that the browser is sent to (OpenID Connect, OAuth 2.0). */
export type RedirectConnector = {
  readonly kind: 'redirect';
  readonly id: string;
  /** What people see. */
  readonly name: string;
  readonly type: 'oidc' | 'google' | 'github';
  /** Who may come in; by default everyone. */
  readonly admission?: AdmissionRules | undefined;
  /** Whether an account here can be added to a person that there is; by default it can. */
  readonly linking?: boolean | undefined;
  /** Whether it is configured to tell groups, so that they can be mapped. */
  readonly providesGroups?: boolean | undefined;
  /** Domains of e-mail addresses whose owners sign in here, to skip the choice by `login_hint`. */
  readonly domains?: readonly string[] | undefined;
  /**
   * Where to send the browser.
   *
   * @throws UpstreamError when the provider can't be reached or isn't what was configured
   */
  readonly begin: (options: BeginOptions) => Promise<{ url: URL; request: UpstreamRequest }>;
  /**
   * Redeems the provider's answer.
   *
   * @param answer the callback's address, with the answer's parameters
   * @throws UpstreamError
   */
  readonly complete: (answer: URL, request: UpstreamRequest) => Promise<UpstreamSignIn>;
  /**
   * Asks again who someone is and which groups they are in.
   *
   * @throws UpstreamError `gone` when the provider says that they may not sign in any more
   */
  readonly refresh: (credential: UpstreamCredential) => Promise<UpstreamSignIn>;
};

/** What {@link RedirectConnector.begin} takes. */
export type BeginOptions = {
  /** Given by us; a part of it says whose answer this is. */
  readonly state: string;
  /** OpenID Connect's `login_hint`. */
  readonly loginHint?: string | undefined;
  /** To ask for credentials again although there is a session at the provider. */
  readonly forceLogin?: boolean | undefined;
  /** To let the person choose another account there. */
  readonly selectAccount?: boolean | undefined;
};

/** Any way to sign in. */
export type Connector = PasswordConnector | RedirectConnector;

/** Why a sign-in at a provider came to nothing, in words of ours: never the provider's own text. */
export type UpstreamFailure =
  /** The person said no there, or was refused there. */
  | 'denied'
  /** It can't be reached, is too slow, or answers with an error of its own. */
  | 'unavailable'
  /** What it answers is not what the protocol allows: state, nonce, issuer, signature, shape. */
  | 'invalid'
  /** It has no verified e-mail address, and the connector needs one. */
  | 'unverified_email'
  /** The account there is not allowed here, by the connector's rules. */
  | 'not_allowed'
  /** The person was to sign in there anew, and it took an older sign-in. */
  | 'stale'
  /** The account there is deleted or suspended, or its consent was withdrawn. */
  | 'gone';

/** A sign-in at a provider that came to nothing. Its message is for the log. */
export class UpstreamError extends Error {
  readonly failure: UpstreamFailure;
  readonly connector: string;
  constructor(connector: string, failure: UpstreamFailure, options?: ErrorOptions) {
    super(`sign-in at the connector ${connector}: ${failure}`, options);
    this.name = 'UpstreamError';
    this.failure = failure;
    this.connector = connector;
  }
}
