/** Redirect connectors by themselves, without an issuer around them, for tests. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, fetch } from 'undici';
import { expect } from 'vitest';
import type * as z from 'zod';
import { ConnectorSettings } from '../../issuer/connectors/config.ts';
import type {
  RedirectConnector,
  UpstreamCredential,
  UpstreamSignIn,
} from '../../issuer/connectors/connector.ts';
import { callbackOf, createConnectors } from '../../issuer/connectors/registry.ts';
import { type HostileProvider, startHostileProvider } from './hostile-provider.ts';

const ISSUER = 'https://login.hexabase.test';

/** The connector's id. */
export const CONNECTOR = 'it';

/** Its redirect address, to be registered at the provider. */
export const CALLBACK = callbackOf(ISSUER, CONNECTOR);

/** The state of every sign-in. */
export const STATE = 'state-of-this-sign-in';

/** Makes connectors to a provider. */
export type ConnectorBench = AsyncDisposable & {
  /** A directory for files that settings name. */
  readonly directory: string;
  /** @throws when the settings are not valid */
  readonly connect: (settings: object) => Promise<RedirectConnector>;
  /** Goes to the provider, which asks nothing, and comes back. */
  readonly signIn: (connector: RedirectConnector) => Promise<UpstreamSignIn>;
};

/** @param ca PEM of the provider's authority */
export const createConnectorBench = async (ca: string): Promise<ConnectorBench> => {
  const directory = await mkdtemp(join(tmpdir(), 'connectors-'));
  await writeFile(join(directory, 'ca.pem'), ca);
  const agent = new Agent({ connect: { ca } });
  return {
    directory,
    connect: async (settings) => {
      const all = {
        id: CONNECTOR,
        name: 'It',
        certificate_authority_path: join(directory, 'ca.pem'),
        ...settings,
      } as z.input<typeof ConnectorSettings>;
      const [connector] = await createConnectors([ConnectorSettings.parse(all)], ISSUER);
      if (connector?.kind !== 'redirect') throw new Error('not a redirect connector');
      return connector;
    },
    signIn: async (connector) => {
      const { url, request } = await connector.begin({ state: STATE });
      const answer = await fetch(url, { redirect: 'manual', dispatcher: agent });
      return connector.complete(new URL(answer.headers.get('location') ?? ''), request);
    },
    [Symbol.asyncDispose]: async () => {
      await agent.close();
      await rm(directory, { recursive: true });
    },
  };
};

/** A bench with an OpenID provider whose person is {@link ANN} until a test says otherwise. */
export type OidcBench = ConnectorBench & {
  readonly provider: HostileProvider;
  /** The settings that name the provider and its client. */
  readonly client: () => object;
  /** Has the provider behave, and sign in {@link ANN}. */
  readonly reset: () => void;
};

/** Whom the provider signs in. */
export const ANN = { sub: 'u-1', name: 'Ann', email: 'ann@corp.test', email_verified: true };

/** Starts a provider and a bench for it. */
export const createOidcBench = async (): Promise<OidcBench> => {
  const provider = await startHostileProvider();
  provider.registerCallback(CALLBACK);
  const bench = await createConnectorBench(provider.ca);
  return {
    ...bench,
    provider,
    client: () => ({
      issuer: provider.url,
      client_id: provider.clientId,
      client_secret: provider.clientSecret,
    }),
    reset: () => {
      provider.behave({});
      provider.setPerson(ANN);
    },
    [Symbol.asyncDispose]: async () => {
      await bench[Symbol.asyncDispose]();
      await provider[Symbol.asyncDispose]();
    },
  };
};

/** The error of a connector that came to nothing, for `toThrow` and `rejects`. */
export const failure = (reason: string): unknown =>
  expect.objectContaining({ failure: reason, connector: CONNECTOR });

/** What a provider lets us ask again with. @throws when it has given nothing */
export const credentialOf = ({ credential }: UpstreamSignIn): UpstreamCredential => {
  if (!credential) throw new Error('the provider gave no credential');
  return credential;
};
