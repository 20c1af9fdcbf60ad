/** The tokens with which we ask clusters whether they take the issuer's: `issuer/protocol/probe-grant.ts` gives them. */
import { importJWK, type JWK } from 'jose';
import * as openid from 'openid-client';
import { Agent, fetch, type RequestInit } from 'undici';
import type { TrustedIssuer } from '#domain/authentication-configuration.ts';
import {
  KEY_PARAMETER,
  type NEWEST_KEY,
  PROBE_CLIENT_ID,
  PROBE_TOKEN_SECONDS,
} from '#domain/probe-subject.ts';

/** Gets tokens of probes; disposal closes its connections. */
export type ProbeTokens = AsyncDisposable & {
  /**
   * A token for a workspace; one that was given less than half its life ago may come again.
   *
   * @param audience public identifier of the workspace
   * @param by `newest`: a new token, signed by the key that the issuer has published last
   * @throws IssuerUnavailableError
   */
  readonly request: (audience: string, by?: typeof NEWEST_KEY) => Promise<string>;
};

/** The issuer gave no token; the message says why, and nothing secret. */
export class IssuerUnavailableError extends Error {
  override readonly name = 'IssuerUnavailableError';
}

/** What {@link createProbeTokens} needs. */
export type ProbeTokensOptions = {
  readonly issuer: TrustedIssuer;
  /** Of our client at the issuer, on P-256; it signs our requests (RFC 7523). */
  readonly privateKey: JWK;
};

const TIMEOUT_SECONDS = 5;
const REUSE_MS = (PROBE_TOKEN_SECONDS * 1000) / 2;

/** Asks nothing of the issuer until the first token is asked for. */
export const createProbeTokens = ({ issuer, privateKey }: ProbeTokensOptions): ProbeTokens => {
  const agent = new Agent({
    connect: {
      timeout: 3_000,
      ...(issuer.certificateAuthority && { ca: issuer.certificateAuthority }),
    },
  });
  let discovered: Promise<openid.Configuration> | undefined;
  const given = new Map<string, { readonly token: string; readonly at: number }>();
  const configure = (): Promise<openid.Configuration> => {
    discovered ??= discover(issuer.url, privateKey, agent).catch((error: unknown) => {
      discovered = undefined;
      throw error;
    });
    return discovered;
  };
  return {
    request: async (audience, by) => {
      if (by) {
        // What was given before may be signed by a key that was revoked since.
        given.clear();
        return grant(configure, { audience, [KEY_PARAMETER]: by });
      }
      const known = given.get(audience);
      if (known && Date.now() - known.at < REUSE_MS) return known.token;
      const token = await grant(configure, { audience });
      for (const [key, { at }] of given) if (Date.now() - at >= REUSE_MS) given.delete(key);
      given.set(audience, { token, at: Date.now() });
      return token;
    },
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
};

const discover = async (
  url: string,
  privateKey: JWK,
  agent: Agent,
): Promise<openid.Configuration> => {
  const key = (await importJWK(privateKey, 'ES256')) as openid.CryptoKey;
  return openid.discovery(
    new URL(url),
    PROBE_CLIENT_ID,
    undefined,
    openid.PrivateKeyJwt(privateKey.kid ? { key, kid: privateKey.kid } : key),
    {
      timeout: TIMEOUT_SECONDS,
      [openid.customFetch]: ((address: string, init: object) =>
        fetch(address, { ...init, dispatcher: agent } as RequestInit)) as openid.CustomFetch,
    },
  );
};

const grant = async (
  configure: () => Promise<openid.Configuration>,
  parameters: Record<string, string>,
): Promise<string> => {
  try {
    const configuration = await configure();
    return (await openid.clientCredentialsGrant(configuration, parameters)).access_token;
  } catch (error) {
    throw new IssuerUnavailableError(describe(error), { cause: error });
  }
};

/** What the issuer answered is for members to read; where our network failed is for the log. */
const describe = (error: unknown): string =>
  error instanceof openid.ResponseBodyError
    ? `The issuer gives no token to probe with (${error.error}: ${(error.error_description ?? '').slice(0, 200)}).`
    : 'The issuer can’t be reached.';
