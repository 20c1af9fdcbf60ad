/** A web client of the issuer, as a console is one, for tests: code flow with PKCE, state and nonce. */
import * as openid from 'openid-client';
import { Agent, fetch, type RequestInit } from 'undici';
import type { PageVisitor, VisitedPage } from '../../quickstart/page-visitor.ts';
import type { TestIssuer } from './issuer.ts';
import { goThroughPages, SignInRefusedError } from './oidc-client.ts';

/** Which client, and how it authenticates. */
export type WebClientOptions = {
  readonly issuer: Pick<TestIssuer, 'issuerUrl' | 'ca'>;
  readonly clientId: string;
  readonly redirectUri: string;
  /** By default it has no secret. */
  readonly auth?: openid.ClientAuth;
};

/** A client with its connections; dispose of it to close them. */
export type TestWebClient = AsyncDisposable & {
  readonly configuration: openid.Configuration;
  /** Goes through the pages of a sign-in and redeems the code. @throws SignInRefusedError */
  readonly signIn: (
    visitor: PageVisitor,
    person: { readonly username: string; readonly password: string },
    parameters?: Readonly<Record<string, string>>,
  ) => Promise<openid.TokenEndpointResponse & openid.TokenEndpointResponseHelpers>;
  /** @throws openid.ResponseBodyError when refused */
  readonly refresh: (refreshToken: string) => Promise<openid.TokenEndpointResponse>;
  /** Sends the browser to the end of the session (RP-Initiated Logout); answers the page to confirm it. */
  readonly signOut: (
    visitor: PageVisitor,
    parameters: Readonly<Record<string, string>>,
  ) => Promise<VisitedPage>;
};

/** Discovers the issuer. */
export const createWebClient = async (options: WebClientOptions): Promise<TestWebClient> => {
  const { issuer, clientId, redirectUri, auth = openid.None() } = options;
  const agent = new Agent({ connect: { ca: issuer.ca } });
  const configuration = await openid.discovery(
    new URL(issuer.issuerUrl),
    clientId,
    { id_token_signed_response_alg: 'ES256' },
    auth,
    {
      [openid.customFetch]: ((url: string, init: object) =>
        fetch(url, {
          ...init,
          dispatcher: agent,
        } as RequestInit)) as unknown as openid.CustomFetch,
    },
  );
  return {
    configuration,
    signIn: async (visitor, person, parameters = {}) => {
      const verifier = openid.randomPKCECodeVerifier();
      const [state, nonce] = [openid.randomState(), openid.randomNonce()];
      const url = openid.buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUri,
        scope: 'openid',
        code_challenge: await openid.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        state,
        nonce,
        ...parameters,
      });
      const end = await goThroughPages(visitor, await visitor.open(url.href), person);
      if (!end.left || !end.url.searchParams.has('code')) throw new SignInRefusedError(end);
      return openid.authorizationCodeGrant(configuration, end.url, {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
      });
    },
    refresh: (refreshToken) => openid.refreshTokenGrant(configuration, refreshToken),
    signOut: (visitor, parameters) =>
      visitor.open(openid.buildEndSessionUrl(configuration, parameters).href),
    [Symbol.asyncDispose]: () => agent.close(),
  };
};
