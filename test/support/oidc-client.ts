/**
 * An OpenID Connect client for tests. It makes the calls that `kubectl oidc-login` makes (discovery,
 * code flow with PKCE S256, state and nonce on a loopback redirect, refresh without a scope, device
 * flow) and goes through the sign-in pages as a willing person would.
 *
 * ```ts
 * const tokens = await signInWithCode({ issuerUrl, ca, clientId, username: 'alice', password });
 * const renewed = await refresh({ issuerUrl, ca, clientId, refreshToken: tokens.refresh_token });
 * ```
 */
import * as openid from 'openid-client';
import { Agent, fetch, type RequestInit } from 'undici';
import {
  createPageVisitor,
  type PageVisitor,
  type VisitedPage,
} from '../../quickstart/page-visitor.ts';

/** Which client of which issuer. */
export type ClientOptions = {
  readonly issuerUrl: string;
  /** PEM of the authority that signed the issuer's certificate. */
  readonly ca: string;
  readonly clientId: string;
};

/** Who signs in, and with what on top of kubelogin's own parameters. */
export type SignInOptions = ClientOptions & {
  readonly username: string;
  readonly password: string;
  /** Parameters of the authorization request; they replace the usual ones. */
  readonly extraParams?: Readonly<Record<string, string>>;
  /** A visitor with the cookies of an earlier sign-in; by default a fresh one. */
  readonly visitor?: PageVisitor;
};

/** What a sign-in or refresh gives. */
export type Tokens = {
  readonly id_token: string;
  readonly refresh_token: string;
  readonly access_token: string;
  /** The verified content of the ID token. */
  readonly claims: Readonly<Record<string, unknown>>;
};

/** The sign-in ended on a page or with an error instead of a code. */
export class SignInRefusedError extends Error {
  readonly page: VisitedPage;
  constructor(page: VisitedPage) {
    super(`the sign-in was refused: ${page.status} ${page.text || page.url.search}`);
    this.page = page;
  }
}

const REDIRECT_URI = 'http://localhost:8000';
const DEVICE_CODE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

/** A client with its discovered configuration; dispose of it to close its connections. */
export type OidcClient = AsyncDisposable & { readonly configuration: openid.Configuration };

/** Discovers the issuer. @throws when its metadata is not valid */
export const createOidcClient = async (options: ClientOptions): Promise<OidcClient> => {
  const agent = new Agent({ connect: { ca: options.ca } });
  const configuration = await openid.discovery(
    new URL(options.issuerUrl),
    options.clientId,
    { id_token_signed_response_alg: 'ES256' },
    openid.None(),
    {
      [openid.customFetch]: ((url: string, init: { body?: unknown }) => {
        if (init.body instanceof URLSearchParams) dropSlash(init.body);
        return fetch(url, { ...init, dispatcher: agent } as RequestInit);
      }) as unknown as openid.CustomFetch,
    },
  );
  return { configuration, [Symbol.asyncDispose]: () => agent.close() };
};

/** openid-client reads the redirect address from a URL, which has a slash where kubelogin's has none. */
const dropSlash = (body: URLSearchParams): void => {
  if (body.get('redirect_uri') === `${REDIRECT_URI}/`) body.set('redirect_uri', REDIRECT_URI);
};

/** An authorization request that waits for its answer. */
export type AuthorizationRequest = {
  readonly url: URL;
  readonly verifier: string;
  readonly state: string;
  readonly nonce: string;
};

/** Prepares the request that kubelogin makes: only `openid`, `access_type=offline`, no prompt. */
export const prepareRequest = async (
  { configuration }: OidcClient,
  extraParams: Readonly<Record<string, string>> = {},
): Promise<AuthorizationRequest> => {
  const verifier = openid.randomPKCECodeVerifier();
  const [state, nonce] = [openid.randomState(), openid.randomNonce()];
  const url = openid.buildAuthorizationUrl(configuration, {
    redirect_uri: REDIRECT_URI,
    scope: 'openid',
    access_type: 'offline',
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
    ...extraParams,
  });
  return { url, verifier, state, nonce };
};

/** Redeems the answer at the redirect address. @throws openid.ResponseBodyError when refused */
export const redeem = async (
  { configuration }: OidcClient,
  request: AuthorizationRequest,
  answer: URL,
): Promise<Tokens> =>
  toTokens(
    await openid.authorizationCodeGrant(configuration, answer, {
      pkceCodeVerifier: request.verifier,
      expectedState: request.state,
      expectedNonce: request.nonce,
      idTokenExpected: true,
    }),
  );

/**
 * Signs in by authorization code (RFC 6749 §4.1, RFC 7636, RFC 8252).
 *
 * @throws SignInRefusedError with the page on which it ended
 */
export const signInWithCode = async (options: SignInOptions): Promise<Tokens> => {
  await using client = await createOidcClient(options);
  const request = await prepareRequest(client, options.extraParams);
  return await redeem(client, request, await authorize(options, request.url));
};

/**
 * Goes through the pages of an authorization request.
 *
 * @returns the redirect address with the code
 * @throws SignInRefusedError
 */
export const authorize = async (options: SignInOptions, url: URL): Promise<URL> => {
  await using own = createPageVisitor(options.ca);
  const visitor = options.visitor ?? own;
  const end = await goThroughPages(visitor, await visitor.open(url.href), options);
  if (!end.left || !end.url.searchParams.has('code')) throw new SignInRefusedError(end);
  return end.url;
};

const MAX_PAGES = 8;

/**
 * Signs in and confirms on whatever pages come, ours and an identity provider's, until none asks for it
 * any more. A password is given once to each site: whoever asks again has refused it.
 */
export const goThroughPages = async (
  visitor: PageVisitor,
  start: VisitedPage,
  { username, password }: Pick<SignInOptions, 'username' | 'password'>,
): Promise<VisitedPage> => {
  const given = new Set<string>();
  let page = start;
  for (let visited = 0; visited < MAX_PAGES; visited += 1) {
    const { origin } = page.url;
    if (hasForm(page, '[name=password]') && !given.has(origin)) {
      given.add(origin);
      page = await visitor.submit(page, { having: 'password', fields: { username, password } });
    } else if (hasForm(page, '[action$="/confirm"]') && page.status === 200) {
      page = await visitor.submit(page, { action: '/confirm' });
    } else return page;
  }
  return page;
};

const hasForm = ({ document }: VisitedPage, selector: string): boolean =>
  document
    .querySelectorAll('form')
    .some((form) =>
      selector.startsWith('[action')
        ? form.getAttribute('action')?.endsWith('/confirm')
        : form.querySelector(selector) !== null,
    );

/**
 * Signs in by device code (RFC 8628), the person entering the code that the device shows.
 *
 * @throws SignInRefusedError
 */
export const signInWithDevice = async (options: SignInOptions): Promise<Tokens> => {
  await using client = await createOidcClient(options);
  const device = await startDevice(client, options.extraParams);
  await using own = createPageVisitor(options.ca);
  const visitor = options.visitor ?? own;
  const end = await approveDevice(visitor, device, options);
  if (!end.text.includes('You are signed in')) throw new SignInRefusedError(end);
  return await redeemDevice(client, device);
};

/** What a device got to show and to poll with. */
export type DeviceAuthorization = openid.DeviceAuthorizationResponse;

/** Asks for a device code and a user code. */
export const startDevice = (
  { configuration }: OidcClient,
  extraParams: Readonly<Record<string, string>> = {},
): Promise<DeviceAuthorization> =>
  openid.initiateDeviceAuthorization(configuration, { scope: 'openid', ...extraParams });

/** Enters the user code, checks it, signs in and confirms; returns the last page. */
export const approveDevice = async (
  visitor: PageVisitor,
  device: DeviceAuthorization,
  person: Pick<SignInOptions, 'username' | 'password'>,
): Promise<VisitedPage> => {
  const entry = await visitor.open(device.verification_uri);
  const check = await visitor.submit(entry, { fields: { user_code: device.user_code } });
  return goThroughPages(visitor, await visitor.submit(check, { having: 'confirm' }), person);
};

/** Asks once for a device's tokens. @throws openid.ResponseBodyError when pending or refused */
export const redeemDevice = async (
  { configuration }: OidcClient,
  device: DeviceAuthorization,
): Promise<Tokens> =>
  toTokens(
    await openid.genericGrantRequest(configuration, DEVICE_CODE_GRANT, {
      device_code: device.device_code,
    }),
  );

/** Renews tokens as kubelogin does, without a scope. @throws openid.ResponseBodyError when refused */
export const refresh = async (
  options: ClientOptions & { readonly refreshToken: string },
): Promise<Tokens> => {
  await using client = await createOidcClient(options);
  return toTokens(await openid.refreshTokenGrant(client.configuration, options.refreshToken));
};

const toTokens = (
  response: openid.TokenEndpointResponse & openid.TokenEndpointResponseHelpers,
): Tokens => {
  const { id_token, refresh_token, access_token } = response;
  if (!id_token || !refresh_token) throw new Error('the answer lacks an ID or refresh token');
  return { id_token, refresh_token, access_token, claims: { ...response.claims() } };
};
