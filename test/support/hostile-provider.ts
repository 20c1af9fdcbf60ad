/**
 * An OpenID Connect provider over HTTPS that is right by default and can be told to be wrong in one point.
 * It asks nobody: whoever is set as the person is signed in at once. What it checks, it checks as a good
 * provider would: client secret, redirect address, PKCE, codes that are used once.
 *
 * ```ts
 * await using provider = await startHostileProvider();
 * provider.registerCallback(`${issuer.issuerUrl}/connectors/hostile/callback`);
 * provider.behave({ claims: (claims) => ({ ...claims, nonce: 'another' }) });
 * ```
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { answerBadly, type Misanswer } from './hostile-answers.ts';
import { matchesChallenge, readFields, startHttpsServer } from './https-server.ts';

/** What can be asked of the provider. */
export type Endpoint = 'discovery' | 'jwks' | 'authorize' | 'token' | 'userinfo';

/** In which points the provider is wrong; each function gets what would be right. */
export type Behaviour = {
  readonly discovery?: (document: Readonly<Record<string, unknown>>) => object;
  /** The parameters with which the browser is sent back. */
  readonly answer?: (parameters: URLSearchParams) => URLSearchParams;
  readonly claims?: (claims: JWTPayload) => JWTPayload;
  /** The ID token, signed rightly. */
  readonly idToken?: (token: string) => string | Promise<string> | undefined;
  /** With another key under the right key id; or under one that is in no key set. */
  readonly signature?: 'foreign' | 'unknown kid';
  readonly token?: (body: Readonly<Record<string, unknown>>) => object;
  readonly userinfo?: (claims: Readonly<Record<string, unknown>>) => object;
  /** Endpoints that don't answer properly at all. */
  readonly misanswers?: Partial<Record<Endpoint, Misanswer>>;
};

/** A running provider. */
export type HostileProvider = AsyncDisposable & {
  /** Its issuer identifier. */
  readonly url: string;
  readonly ca: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly registerCallback: (redirectUri: string) => void;
  /** Who signs in from now on; `sub` and whatever claims. */
  readonly setPerson: (claims: JWTPayload) => void;
  /** How to behave from now on; `{}` is rightly. */
  readonly behave: (behaviour: Behaviour) => void;
  /** Whether each issued refresh token is taken back. */
  readonly forgetEveryone: () => void;
  /** What was asked, in order. */
  readonly requests: readonly Endpoint[];
  /** Everything that it has given out and that nobody may find in a log. */
  readonly secrets: ReadonlySet<string>;
};

const KEY_ID = 'right';
const PATHS: Readonly<Record<string, Endpoint>> = {
  '/.well-known/openid-configuration': 'discovery',
  '/jwks': 'jwks',
  '/authorize': 'authorize',
  '/token': 'token',
  '/userinfo': 'userinfo',
};

type Code = { readonly request: URLSearchParams; readonly person: JWTPayload };

type State = {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly codes: Map<string, Code>;
  /** Access and refresh tokens, and whose they are. */
  readonly tokens: Map<string, JWTPayload>;
  readonly callbacks: Set<string>;
  readonly secrets: Set<string>;
  readonly requests: Endpoint[];
  readonly keys: Awaited<ReturnType<typeof makeKeys>>;
  url: string;
  person: JWTPayload;
  behaviour: Behaviour;
};

/** Listens on a free loopback port. */
export const startHostileProvider = async (): Promise<HostileProvider> => {
  const state: State = {
    clientId: 'hexabase',
    clientSecret: `secret-${randomUUID()}`,
    codes: new Map(),
    tokens: new Map(),
    callbacks: new Set(),
    secrets: new Set(),
    requests: [],
    keys: await makeKeys(),
    url: '',
    person: { sub: 'upstream-alice', name: 'Alice', email: 'a@example.test', email_verified: true },
    behaviour: {},
  };
  state.secrets.add(state.clientSecret);
  const server = await startHttpsServer((request, response) => {
    handle(state, request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  state.url = server.url;
  return {
    url: server.url,
    ca: server.ca,
    clientId: state.clientId,
    clientSecret: state.clientSecret,
    registerCallback: (redirectUri) => state.callbacks.add(redirectUri),
    setPerson: (claims) => {
      state.person = claims;
    },
    behave: (behaviour) => {
      state.behaviour = behaviour;
    },
    forgetEveryone: () => state.tokens.clear(),
    requests: state.requests,
    secrets: state.secrets,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
};

const makeKeys = async () => {
  const right = await generateKeyPair('ES256');
  const foreign = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(right.publicKey)), kid: KEY_ID, alg: 'ES256', use: 'sig' };
  return { right: right.privateKey, foreign: foreign.privateKey, jwk };
};

const handle = async (
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> => {
  const url = new URL(request.url ?? '/', state.url);
  const endpoint = PATHS[url.pathname];
  if (endpoint === undefined) {
    response.writeHead(404).end();
    return;
  }
  state.requests.push(endpoint);
  const misanswer = state.behaviour.misanswers?.[endpoint];
  if (misanswer) answerBadly(response, misanswer);
  else if (endpoint === 'authorize') authorize(state, url.searchParams, response);
  else {
    const { status, body } = await ANSWERS[endpoint](state, request);
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.end(JSON.stringify(body));
  }
};

type Answer = { readonly status: number; readonly body: object };

const right = (body: object): Answer => ({ status: 200, body });
const wrong = (error: string, status = 400): Answer => ({ status, body: { error } });

const ANSWERS: Readonly<
  Record<
    Exclude<Endpoint, 'authorize'>,
    (state: State, request: IncomingMessage) => Answer | Promise<Answer>
  >
> = {
  discovery: (state) => {
    const document = describeProvider(state.url);
    return right(state.behaviour.discovery?.(document) ?? document);
  },
  jwks: (state) => right({ keys: [state.keys.jwk] }),
  token: async (state, request) => {
    const form = await readFields(request);
    if (!isClient(state, request, form)) return wrong('invalid_client', 401);
    return form.get('grant_type') === 'refresh_token' ? renew(state, form) : redeem(state, form);
  },
  userinfo: (state, request) => {
    const person = state.tokens.get(request.headers.authorization?.replace(/^Bearer /i, '') ?? '');
    if (!person) return wrong('invalid_token', 401);
    return right(state.behaviour.userinfo?.(person) ?? person);
  },
};

const describeProvider = (url: string) => ({
  issuer: url,
  authorization_endpoint: `${url}/authorize`,
  token_endpoint: `${url}/token`,
  userinfo_endpoint: `${url}/userinfo`,
  jwks_uri: `${url}/jwks`,
  scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
  response_types_supported: ['code'],
  grant_types_supported: ['authorization_code', 'refresh_token'],
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: ['ES256'],
  token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
  code_challenge_methods_supported: ['S256'],
  authorization_response_iss_parameter_supported: true,
});

const authorize = (state: State, request: URLSearchParams, response: ServerResponse): void => {
  const redirectUri = request.get('redirect_uri') ?? '';
  if (request.get('client_id') !== state.clientId || !state.callbacks.has(redirectUri)) {
    response.writeHead(400).end('unknown client or redirect address');
    return;
  }
  const code = issueSecret(state, 'code');
  state.codes.set(code, { request, person: state.person });
  const answer = new URLSearchParams({ code, state: request.get('state') ?? '', iss: state.url });
  const target = new URL(redirectUri);
  target.search = (state.behaviour.answer?.(answer) ?? answer).toString();
  response.writeHead(303, { location: target.href }).end();
};

const issueSecret = (state: State, kind: string): string => {
  const secret = `${kind}-${randomUUID()}`;
  state.secrets.add(secret);
  return secret;
};

/** RFC 6749 §2.3.1, in both ways. */
const isClient = (state: State, request: IncomingMessage, form: URLSearchParams): boolean => {
  const [, basic] = request.headers.authorization?.split(' ') ?? [];
  const given = basic
    ? Buffer.from(basic, 'base64').toString()
    : `${form.get('client_id')}:${form.get('client_secret')}`;
  return given === `${state.clientId}:${state.clientSecret}`;
};

const redeem = async (state: State, form: URLSearchParams): Promise<Answer> => {
  const code = state.codes.get(form.get('code') ?? '');
  state.codes.delete(form.get('code') ?? '');
  const isOurs =
    code?.request.get('redirect_uri') === form.get('redirect_uri') &&
    (await matchesChallenge(
      form.get('code_verifier'),
      code?.request.get('code_challenge') ?? null,
    ));
  if (!code || !isOurs) return wrong('invalid_grant');
  return issueTokens(state, code.person, code.request.get('nonce'));
};

const renew = (state: State, form: URLSearchParams): Answer | Promise<Answer> => {
  const given = form.get('refresh_token') ?? '';
  if (!state.tokens.delete(given)) return wrong('invalid_grant');
  return issueTokens(state, state.person, null);
};

const issueTokens = async (
  state: State,
  person: JWTPayload,
  nonce: string | null,
): Promise<Answer> => {
  const [access_token, refresh_token] = [issueSecret(state, 'at'), issueSecret(state, 'rt')];
  for (const token of [access_token, refresh_token]) state.tokens.set(token, person);
  const signed = await signIdToken(state, { ...person, ...(nonce !== null && { nonce }) });
  const id_token = state.behaviour.idToken ? await state.behaviour.idToken(signed) : signed;
  if (id_token) state.secrets.add(id_token);
  const body = { access_token, refresh_token, id_token, token_type: 'Bearer', expires_in: 60 };
  return right(state.behaviour.token?.(body) ?? body);
};

const signIdToken = (state: State, person: JWTPayload): Promise<string> => {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: state.url, aud: state.clientId, iat: now, exp: now + 60, ...person };
  const { signature } = state.behaviour;
  return new SignJWT(state.behaviour.claims?.(claims) ?? claims)
    .setProtectedHeader({ alg: 'ES256', kid: signature === 'unknown kid' ? 'other' : KEY_ID })
    .sign(signature === undefined ? state.keys.right : state.keys.foreign);
};
