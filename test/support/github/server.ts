/**
 * A GitHub for tests, over HTTPS and true to its protocol (OAuth apps, web application flow, with PKCE):
 * it approves at once as whoever is set, or denies; refuses codes with status 200 and an error in the body;
 * and forgets users, teams and tokens when it is told to. Its REST API is in api.ts.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerBadly, type Misanswer } from '../hostile-answers.ts';
import { matchesChallenge, readFields, startHttpsServer } from '../https-server.ts';
import { API_PATH, answerApi } from './api.ts';
import type { GithubState, GithubTeam, GithubUser } from './state.ts';

/** A running GitHub. */
export type GithubServer = AsyncDisposable & {
  /** Of the website, below which OAuth's endpoints are. */
  readonly url: string;
  readonly apiUrl: string;
  readonly ca: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly registerCallback: (redirectUri: string) => void;
  /** Whoever opens the page of authorization from now on is this user. */
  readonly signInAs: (login: string) => void;
  readonly deny: (denies: boolean) => void;
  readonly limitRate: (limits: boolean) => void;
  readonly addUser: (user: GithubUser) => GithubUser;
  /** Deletes the account, and its tokens with it. */
  readonly deleteUser: (login: string) => void;
  readonly revokeTokens: () => void;
  readonly addTeams: (...teams: GithubTeam[]) => void;
  /** How requests to this path are answered from now on, instead of properly. */
  readonly misanswer: (path: string, how: Misanswer | undefined) => void;
  /** Paths of the API that were asked, in order. */
  readonly requests: readonly string[];
  /** Everything that it has given out and that nobody may find in a log. */
  readonly secrets: ReadonlySet<string>;
};

/** Listens on a free loopback port. */
export const startGithubServer = async (): Promise<GithubServer> => {
  const state = createState();
  const misanswers = new Map<string, Misanswer>();
  const server = await startHttpsServer((request, response) => {
    const url = new URL(request.url ?? '/', state.url);
    const misanswer = misanswers.get(url.pathname);
    if (misanswer) answerBadly(response, misanswer);
    else handle(state, url, { request, response }).catch((error: Error) => response.destroy(error));
  });
  state.url = server.url;
  return {
    url: server.url,
    apiUrl: `${server.url}${API_PATH}`,
    ca: server.ca,
    clientId: state.clientId,
    clientSecret: state.clientSecret,
    ...controls(state),
    misanswer: (path, how) => {
      if (how) misanswers.set(path, how);
      else misanswers.delete(path);
    },
    requests: state.requests,
    secrets: state.secrets,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
};

const createState = (): GithubState => {
  const clientSecret = `secret-${randomUUID()}`;
  return {
    url: '',
    clientId: 'Ov23liHexabase',
    clientSecret,
    callbacks: new Set(),
    users: new Map(),
    teams: [],
    codes: new Map(),
    tokens: new Map(),
    secrets: new Set([clientSecret]),
    requests: [],
    login: '',
    denies: false,
    rateLimited: false,
  };
};

const controls = (state: GithubState) => ({
  registerCallback: (redirectUri: string) => void state.callbacks.add(redirectUri),
  signInAs: (login: string) => {
    state.login = login;
  },
  deny: (denies: boolean) => {
    state.denies = denies;
  },
  limitRate: (limits: boolean) => {
    state.rateLimited = limits;
  },
  addUser: (user: GithubUser) => {
    state.users.set(user.login, user);
    return user;
  },
  deleteUser: (login: string) => {
    const id = state.users.get(login)?.id;
    state.users.delete(login);
    for (const [token, { userId }] of state.tokens) if (userId === id) state.tokens.delete(token);
  },
  revokeTokens: () => state.tokens.clear(),
  addTeams: (...teams: GithubTeam[]) => void state.teams.push(...teams),
});

type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse };

const handle = async (
  state: GithubState,
  url: URL,
  { request, response }: Exchange,
): Promise<void> => {
  const route = `${request.method} ${url.pathname}`;
  if (route === 'GET /login/oauth/authorize') {
    const location = authorize(state, url.searchParams);
    response.writeHead(location ? 302 : 404, location ? { location } : {}).end();
  } else if (route === 'POST /login/oauth/access_token') {
    const body = await redeem(state, await readFields(request));
    sendToken(response, body, request.headers.accept);
  } else if (route.startsWith(`GET ${API_PATH}/`)) {
    const { status, body, headers } = answerApi(state, request, url);
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
    response.end(JSON.stringify(body));
  } else response.writeHead(404).end();
};

const authorize = (state: GithubState, request: URLSearchParams): string | undefined => {
  const redirectUri = request.get('redirect_uri') ?? '';
  if (request.get('client_id') !== state.clientId) return undefined;
  if (!state.callbacks.has(redirectUri)) return undefined;
  const target = new URL(redirectUri);
  if (state.denies || !state.users.has(state.login)) {
    target.searchParams.set('error', 'access_denied');
    target.searchParams.set('error_description', 'The user has denied your application access.');
    target.searchParams.set('error_uri', 'https://docs.github.com/apps/troubleshooting');
  } else {
    const code = issueSecret(state, '');
    const [scope, challenge] = [request.get('scope') ?? '', request.get('code_challenge')];
    state.codes.set(code, { login: state.login, redirectUri, scope, challenge });
    target.searchParams.set('code', code);
  }
  target.searchParams.set('state', request.get('state') ?? '');
  return target.href;
};

const issueSecret = (state: GithubState, prefix: string): string => {
  const secret = prefix + randomUUID().replaceAll('-', '');
  state.secrets.add(secret);
  return secret;
};

const redeem = async (
  state: GithubState,
  form: URLSearchParams,
): Promise<Record<string, string>> => {
  const isClient =
    form.get('client_id') === state.clientId && form.get('client_secret') === state.clientSecret;
  if (!isClient) return refuse('incorrect_client_credentials');
  const code = state.codes.get(form.get('code') ?? '');
  state.codes.delete(form.get('code') ?? '');
  const user = state.users.get(code?.login ?? '');
  if (!code || !user) return refuse('bad_verification_code');
  if (form.has('redirect_uri') && form.get('redirect_uri') !== code.redirectUri) {
    return refuse('redirect_uri_mismatch');
  }
  if (!(await matchesChallenge(form.get('code_verifier'), code.challenge))) {
    return refuse('bad_verification_code');
  }
  const access_token = issueSecret(state, 'gho_');
  const scopes = code.scope.split(/[ ,]+/);
  state.tokens.set(access_token, { userId: user.id, scopes });
  return { access_token, scope: scopes.join(','), token_type: 'bearer' };
};

const refuse = (error: string): Record<string, string> => ({
  error,
  error_description: 'The code passed is incorrect or expired, or the client is not who it says.',
  error_uri: 'https://docs.github.com/apps/troubleshooting',
});

/** With status 200, refusals too; a form unless JSON is asked for. */
const sendToken = (
  response: ServerResponse,
  body: Record<string, string>,
  accept: string | undefined,
): void => {
  const asJson = accept?.includes('application/json');
  const type = asJson ? 'application/json; charset=utf-8' : 'application/x-www-form-urlencoded';
  response.writeHead(200, { 'content-type': type });
  response.end(asJson ? JSON.stringify(body) : new URLSearchParams(body).toString());
};
