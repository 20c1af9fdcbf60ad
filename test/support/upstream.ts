/**
 * An issuer with identity providers behind it, and people who go through both.
 *
 * ```ts
 * await using provider = await startHostileProvider();
 * await using issuer = await startUpstreamIssuer(database, { acme: oidcConnector(provider) });
 * const tokens = await issuer.signIn('acme', { clientId });
 * ```
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as z from 'zod';
import type { ConnectorSettings } from '../../issuer/connectors/config.ts';
import { callbackOf } from '../../issuer/connectors/registry.ts';
import { createPageVisitor, type PageVisitor } from '../../quickstart/page-visitor.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import type { GithubServer } from './github/server.ts';
import { type HostileProvider, startHostileProvider } from './hostile-provider.ts';
import { startTestIssuer, type TestIssuer, type TestIssuerOptions } from './issuer.ts';
import {
  type AuthorizationRequest,
  createOidcClient,
  goThroughPages,
  type OidcClient,
  prepareRequest,
  redeem,
  SignInRefusedError,
  signInWithCode,
  type Tokens,
} from './oidc-client.ts';
import { expectNoneLogged } from './refusals.ts';

type Settings = z.input<typeof ConnectorSettings>;

/** An identity provider that takes whom it is told as its client. */
export type UpstreamProvider = {
  readonly url: string;
  readonly ca: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly registerCallback: (redirectUri: string) => void | Promise<void>;
};

/** A connector to be: its provider, and its settings once the id and the authority's file are known. */
export type UpstreamConnector = {
  readonly provider: UpstreamProvider;
  readonly toSettings: (id: string, certificateAuthorityPath: string) => Settings;
};

/** A connector to an OpenID provider. @param settings replace the usual ones */
export const oidcConnector = (
  provider: UpstreamProvider & { readonly issuerUrl?: string },
  settings: Partial<Extract<Settings, { type: 'oidc' }>> = {},
): UpstreamConnector => ({
  provider,
  toSettings: (id, certificate_authority_path) => ({
    type: 'oidc',
    id,
    name: `Provider ${id}`,
    issuer: provider.issuerUrl ?? provider.url,
    client_id: provider.clientId,
    client_secret: provider.clientSecret,
    certificate_authority_path,
    ...settings,
  }),
});

/** A connector to a GitHub. @param settings replace the usual ones */
export const githubConnector = (
  provider: GithubServer,
  settings: Partial<Extract<Settings, { type: 'github' }>> = {},
): UpstreamConnector => ({
  provider,
  toSettings: (id, certificate_authority_path) => ({
    type: 'github',
    id,
    name: `Provider ${id}`,
    base_url: provider.url,
    api_url: provider.apiUrl,
    client_id: provider.clientId,
    client_secret: provider.clientSecret,
    certificate_authority_path,
    ...settings,
  }),
});

/** Who signs in, for which client; a provider that asks for a password gets this one. */
export type UpstreamSignInOptions = {
  readonly clientId?: string;
  readonly username?: string;
  readonly password?: string;
  readonly visitor?: PageVisitor;
  /** Parameters of the authorization request. */
  readonly extraParams?: Readonly<Record<string, string>>;
};

/** A sign-in that has come to the provider's door: the browser, and what waits for it. */
export type Departure = {
  readonly visitor: PageVisitor;
  readonly request: AuthorizationRequest;
  /** The provider's page of authorization, with our parameters. */
  readonly url: URL;
};

/** An issuer with providers. */
export type UpstreamIssuer = TestIssuer & {
  readonly logLines: readonly string[];
  /** A browser that goes over to the providers and back. */
  readonly createVisitor: () => PageVisitor;
  /** Signs in through a connector. @throws SignInRefusedError */
  readonly signIn: (connector: string, options?: UpstreamSignInOptions) => Promise<Tokens>;
  /** Goes as far as the provider's door. @param visitor doesn't go over by itself */
  readonly depart: (connector: string, visitor?: PageVisitor) => Promise<Departure>;
  /** Comes back with an answer, and goes on to the client. @throws SignInRefusedError */
  readonly arrive: (departure: Departure, answer: URL) => Promise<Tokens>;
  /** A browser that stays with the issuer. */
  readonly createHomebody: () => PageVisitor;
};

/** The client of sign-ins that are about no workspace. */
export const ANY_CLIENT = 'hexabase-cli';

const NOBODY = { username: '', password: '' };

/** Starts an issuer with these connectors by id, and tells each provider its callback. */
export const startUpstreamIssuer = async (
  database: TestDatabase,
  connectors: Readonly<Record<string, UpstreamConnector>>,
  options: TestIssuerOptions = {},
): Promise<UpstreamIssuer> => {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'upstream-'));
  stack.defer(() => rm(directory, { recursive: true }));
  const logLines: string[] = [];
  const settings: Settings[] = [];
  for (const [id, { provider, toSettings }] of Object.entries(connectors)) {
    const file = join(directory, `${id}.pem`);
    await writeFile(file, provider.ca);
    settings.push(toSettings(id, file));
  }
  const issuer = stack.use(
    await startTestIssuer(database, [{ username: 'local' }], {
      ...options,
      connectors: settings,
      logLines,
    }),
  );
  for (const [id, { provider }] of Object.entries(connectors)) {
    await provider.registerCallback(callbackOf(issuer.issuerUrl, id));
  }
  const providers = Object.values(connectors).map(({ provider }) => provider);
  const client = stack.use(await createOidcClient({ ...issuer, clientId: ANY_CLIENT }));
  const resources = stack.move();
  return {
    ...issuer,
    logLines,
    ...createJourneys({ issuer, client, providers }),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
};

type Journeys = {
  readonly issuer: TestIssuer;
  readonly client: OidcClient;
  readonly providers: readonly UpstreamProvider[];
};

const createJourneys = ({ issuer, client, providers }: Journeys) => {
  const createVisitor = () =>
    createPageVisitor([issuer.ca, ...providers.map(({ ca }) => ca)], {}, [
      issuer.issuerUrl,
      ...providers.map(({ url }) => new URL(url).origin),
    ]);
  const createHomebody = () => createPageVisitor(issuer.ca);
  const signIn = async (connector: string, options: UpstreamSignInOptions = {}) => {
    const { clientId = ANY_CLIENT, username, password } = { ...NOBODY, ...options };
    await using own = createVisitor();
    return await signInWithCode({
      ...issuer,
      clientId,
      username,
      password,
      visitor: options.visitor ?? own,
      extraParams: { connector_id: connector, ...options.extraParams },
    });
  };
  const depart = async (connector: string, visitor = createHomebody()): Promise<Departure> => {
    const request = await prepareRequest(client, { connector_id: connector });
    const page = await visitor.open(request.url.href);
    if (!page.left) throw new Error(`not sent to the provider: ${page.status} ${page.text}`);
    return { visitor, request, url: page.url };
  };
  const arrive = async ({ visitor, request }: Departure, answer: URL): Promise<Tokens> => {
    const end = await goThroughPages(visitor, await visitor.open(answer.href), NOBODY);
    if (!end.left) throw new SignInRefusedError(end);
    return redeem(client, request, end.url);
  };
  return { createVisitor, createHomebody, signIn, depart, arrive };
};

/**
 * What a provider sends the browser back with. Nothing is requested of the issuer.
 *
 * @param person for a provider that asks for a password
 */
export const answerOf = async (
  provider: UpstreamProvider,
  departure: URL,
  person = NOBODY,
): Promise<URL> => {
  await using visitor = createPageVisitor(provider.ca);
  const page = await goThroughPages(visitor, await visitor.open(departure.href), person);
  if (!page.left) throw new Error(`the provider kept the browser: ${page.status} ${page.text}`);
  return page.url;
};

/** An issuer behind which two OpenID providers stand, `acme` and `other`. */
export type TwoProviders = AsyncDisposable & {
  readonly database: TestDatabase;
  readonly acme: HostileProvider;
  readonly other: HostileProvider;
  readonly issuer: UpstreamIssuer;
};

/** Starts them; their end fails when a secret of a provider is in the issuer's logs. */
export const startTwoProviders = async (): Promise<TwoProviders> => {
  const database = await createTestDatabase();
  const acme = await startHostileProvider();
  const other = await startHostileProvider();
  const connectors = { acme: oidcConnector(acme), other: oidcConnector(other) };
  const issuer = await startUpstreamIssuer(database, connectors);
  return {
    database,
    acme,
    other,
    issuer,
    [Symbol.asyncDispose]: async () => {
      expectNoneLogged(issuer.logLines, [...acme.secrets, ...other.secrets]);
      for (const each of [issuer, acme, other, database]) await each[Symbol.asyncDispose]();
    },
  };
};
