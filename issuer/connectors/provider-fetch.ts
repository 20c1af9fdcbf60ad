/** Requests to identity providers: short, bounded in size, and never led elsewhere by a redirect. */
import { Agent, fetch, type RequestInit } from 'undici';

const TIMEOUT_MS = 5_000;
const MAX_BYTES = 1_048_576;

/** What is sent; as of the Fetch API. */
export type ProviderRequest = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
};

/** A request to a provider, with its whole answer. */
export type ProviderFetch = (url: string | URL, request?: ProviderRequest) => Promise<Response>;

/**
 * Makes the requests of one connector. An answer that isn't complete within 5 seconds, or is larger
 * than 1 MiB, is an error; a redirect is an answer.
 *
 * @param certificateAuthority PEM of the authorities to trust instead of the public ones
 */
export const createProviderFetch = (certificateAuthority?: string): ProviderFetch => {
  const agent = new Agent({
    connect: {
      timeout: TIMEOUT_MS,
      ...(certificateAuthority !== undefined && { ca: certificateAuthority }),
    },
  });
  return async (url, { signal, ...request } = {}) => {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    const answer = await fetch(url, {
      ...(request as RequestInit),
      redirect: 'manual',
      dispatcher: agent,
      signal: signal ? AbortSignal.any([timeout, signal]) : timeout,
    });
    const body = await readBounded(answer.body);
    return new Response(body.length === 0 ? null : body, {
      status: answer.status,
      headers: [...answer.headers],
    });
  };
};

/** The size counts after decompression: a small answer may grow large. */
const readBounded = async (
  body: AsyncIterable<Uint8Array> | null,
): Promise<Buffer<ArrayBuffer>> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new Error(`the answer is larger than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};
