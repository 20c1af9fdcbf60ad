/** The tenancy API as the person who is signed in here. */
import { Agent, type RequestInit, fetch as undiciFetch } from 'undici';
import { createClient, type Schemas, type TenancyApiClient, unwrap } from '../client/client.ts';
import { getToken } from './get-token.ts';
import { readCertificateAuthority, type SignInFlags, toSignIn } from './options.ts';

/** The OIDC client whose access tokens the API takes from this command. */
const CLIENT_ID = 'hexabase-cli';

/** Signs in when the first request needs it; tokens are renewed as they end. */
export const connectApi = (flags: SignInFlags & { readonly apiUrl: URL }): TenancyApiClient => {
  const signIn = toSignIn(flags);
  const token = async (): Promise<string> => {
    const options = {
      clientId: CLIENT_ID,
      tokenType: 'access_token',
      forceRefresh: false,
    } as const;
    return (await getToken({ ...signIn, ...options })).value;
  };
  const baseUrl = flags.apiUrl.href.replace(/\/$/, '');
  return createClient({ baseUrl, token, fetch: createFetch(readCertificateAuthority(flags)) });
};

/** A fetch that trusts these authorities; Node's own would have to trust it everywhere. */
const createFetch = (
  certificateAuthority: string | string[],
): ((request: Request) => Promise<Response>) => {
  const dispatcher = new Agent({ connect: { ca: certificateAuthority } });
  return async (request) => {
    const { url, method, headers } = request;
    const body = method === 'GET' ? null : await request.text();
    const init: RequestInit = { method, headers: [...headers], body, dispatcher };
    return (await undiciFetch(url, init)) as unknown as Response;
  };
};

const ID = /^ws_[0-7][0-9a-hjkmnp-tv-z]{25}$/;
const SLUGS = /^([a-z0-9-]+)\/([a-z0-9-]+)$/;

/**
 * The id of a workspace that is named as people name it.
 *
 * @param name an id, or `organization/workspace` by their slugs, as in the contexts of kubeconfigs
 * @throws when it is neither, or nothing that the caller can see is called so
 */
export const findWorkspace = async (client: TenancyApiClient, name: string): Promise<string> => {
  if (ID.test(name)) return name;
  const [, organization, slug] = SLUGS.exec(name) ?? [];
  if (organization === undefined) {
    throw new Error('A workspace is named by its id, ws_…, or as organization/workspace by slugs.');
  }
  let cursor: string | undefined;
  do {
    const page: Schemas['WorkspacePage'] = await unwrap(
      client.GET('/v1/workspaces', {
        params: { query: { limit: 100, ...(cursor !== undefined && { cursor }) } },
      }),
    );
    const found = page.items.find(
      (each) => each.organization_slug === organization && each.slug === slug,
    );
    if (found) return found.id;
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  throw new Error(`There is no workspace ${name} that you can see.`);
};
