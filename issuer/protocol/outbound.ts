/** The provider's own requests to others: back-channel logout, and nothing else. */

/**
 * A `fetch` that goes to the configured addresses alone, wherever their hosts are: they are the
 * operator's, and a console may well be in the same cluster. It follows no redirect and reads no answer.
 *
 * @param addresses absolute URLs
 * @returns a function that throws for any other address
 */
export const createOutboundFetch = (addresses: readonly string[]) => {
  const allowed = new Set(addresses.map((address) => new URL(address).href));
  return async (url: string | URL | Request, options?: RequestInit): Promise<Response> => {
    const address = url instanceof Request ? url.url : new URL(url).href;
    if (!allowed.has(address)) throw new Error('requests go to configured addresses only');
    const { method, headers, body, signal } = options ?? {};
    const response = await fetch(address, {
      method: method ?? 'GET',
      ...(headers && { headers }),
      ...(body && { body }),
      ...(signal && { signal }),
      redirect: 'manual',
    });
    await response.body?.cancel();
    return response;
  };
};
