/**
 * The public keys of issuers that tenants trust, read from them by OpenID Connect Discovery 1.0. Tenants choose
 * where these are: only public addresses are asked, judged at the moment of connecting; nothing is followed
 * elsewhere, and everything is bounded.
 */
import { lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { JSONWebKeySet } from 'jose';
import { Agent, fetch } from 'undici';
import * as z from 'zod';
import { type AddressPolicy, createAddressPolicy } from '#runtime/addresses.ts';

const TIMEOUT_MS = 3_000;
const MAX_BYTES = 262_144;
const KEEP_MS = 600_000;
/** An unknown key, or an issuer that doesn't answer, is asked about no more often than this. */
const PAUSE_MS = 15_000;
const MOST_ISSUERS = 1_000;

const Metadata = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https$/ }) });
const KeySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(100) });

/** What {@link createIssuerKeys} needs. */
export type IssuerKeysOptions = {
  /** CIDRs that may be asked although they are not public. */
  readonly allowedCidrs?: readonly string[] | undefined;
  /** PEM of the authorities to trust; by default the system's. */
  readonly certificateAuthority?: string | undefined;
};

/** Keys of issuers. */
export type IssuerKeys = {
  /**
   * The keys of an issuer.
   *
   * @param isEnough whether the kept ones will do; otherwise they are read again, though not at once
   * @throws Error that says why they can't be read
   */
  readonly read: (
    issuer: string,
    isEnough: (keys: JSONWebKeySet) => boolean,
  ) => Promise<JSONWebKeySet>;
};

type Entry = { readonly at: number; readonly keys: Promise<JSONWebKeySet> };

/** Keeps the keys of each issuer for ten minutes; of several requests at once one asks. */
export const createIssuerKeys = (options: IssuerKeysOptions = {}): IssuerKeys => {
  const get = createGet(options);
  const entries = new Map<string, Entry>();
  const readAgain = (issuer: string): Promise<JSONWebKeySet> => {
    entries.delete(issuer);
    const [oldest] = entries.keys();
    if (oldest !== undefined && entries.size >= MOST_ISSUERS) entries.delete(oldest);
    const keys = discover(get, issuer);
    entries.set(issuer, { at: performance.now(), keys });
    return keys;
  };
  return {
    read: async (issuer, isEnough) => {
      const kept = entries.get(issuer);
      const age = kept ? performance.now() - kept.at : Number.POSITIVE_INFINITY;
      if (!kept || age > KEEP_MS) return readAgain(issuer);
      if (age < PAUSE_MS) return kept.keys;
      const keys = await kept.keys.catch(() => undefined);
      return keys && isEnough(keys) ? keys : readAgain(issuer);
    },
  };
};

type Get = (address: string) => Promise<unknown>;

const discover = async (get: Get, issuer: string): Promise<JSONWebKeySet> => {
  const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const metadata = Metadata.parse(await get(address));
  if (metadata.issuer !== issuer) throw new Error('its metadata is another issuer’s');
  return KeySet.parse(await get(metadata.jwks_uri)) as JSONWebKeySet;
};

const createGet = ({ allowedCidrs = [], certificateAuthority }: IssuerKeysOptions): Get => {
  const isAllowed = createAddressPolicy(allowedCidrs);
  const dispatcher = new Agent({
    connect: {
      timeout: TIMEOUT_MS,
      lookup: createLookup(isAllowed),
      ...(certificateAuthority !== undefined && { ca: certificateAuthority }),
    },
  });
  return async (address) => {
    const host = new URL(address).hostname.replace(/^\[|\]$/g, '');
    // An address in the URL is never looked up.
    if (isIP(host) !== 0 && !isAllowed(host)) throw new Error(NOT_ALLOWED);
    const answer = await fetch(address, {
      redirect: 'error',
      dispatcher,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (answer.status !== 200) {
      await answer.body?.cancel();
      throw new Error(`it answered ${answer.status}`);
    }
    return JSON.parse(await readBounded(answer.body));
  };
};

const NOT_ALLOWED = 'its address is private, local or reserved';

/** The connection goes to the addresses that were judged. */
const createLookup =
  (isAllowed: AddressPolicy): LookupFunction =>
  (host, options, done) => {
    lookup(host, { ...options, all: true }, (error, addresses) => {
      if (error) return done(error, []);
      if (!addresses.every(({ address }) => isAllowed(address))) {
        return done(new Error(NOT_ALLOWED), []);
      }
      const [first] = addresses;
      if (options.all) done(null, addresses);
      else done(null, first?.address ?? '', first?.family);
    });
  };

const readBounded = async (body: AsyncIterable<Uint8Array> | null): Promise<string> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new Error(`its answer is larger than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};
