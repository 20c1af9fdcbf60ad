/**
 * What kubectl has its token from: `kubectl oidc-login get-token`, as the test client that makes the plugin's own
 * calls, and as the plugin itself where it is on the PATH. Both keep their tokens, renew them silently, and have
 * the person sign in on the issuer's pages only when there is no other way.
 *
 * ```ts
 * const login = createTestLogin({ ...client, grant: 'authcode', username, password });
 * const token = await login.getToken();
 * ```
 */
import * as openid from 'openid-client';
import {
  refresh,
  type SignInOptions,
  signInWithCode,
  signInWithDevice,
  type Tokens,
} from './oidc-client.ts';

/** kubelogin's `--grant-type`. */
export type LoginGrant = 'authcode' | 'device-code';

/** Whose login, by which way. */
export type LoginOptions = Pick<
  SignInOptions,
  'issuerUrl' | 'ca' | 'clientId' | 'username' | 'password'
> & { readonly grant: LoginGrant };

/** One credential plugin with its cache. */
export type KubectlLogin = {
  /**
   * The ID token to go to the cluster with: the one in the cache as long as it lives, else one by refresh, else
   * one by a sign-in.
   *
   * @param force renews it as if it had expired (`--force-refresh`)
   * @throws when the issuer can't be reached, or refuses the sign-in too
   */
  readonly getToken: (force?: 'force-refresh') => Promise<string>;
  /** Another one that begins with a copy of the cache, such as in a container. */
  readonly copy: () => Promise<KubectlLogin>;
  /** How often the person was asked to sign in, by this one. */
  readonly signIns: () => number;
};

/** Makes logins of one kind. */
export type CreateLogin = (options: LoginOptions) => Promise<KubectlLogin>;

/** The test client in kubelogin's place. */
export const createTestLogin: CreateLogin = async (options) => withCache(options, undefined);

const withCache = (options: LoginOptions, cached: Tokens | undefined): KubectlLogin => {
  let tokens = cached;
  let signIns = 0;
  const signIn = async (): Promise<Tokens> => {
    signIns += 1;
    return options.grant === 'authcode' ? signInWithCode(options) : signInWithDevice(options);
  };
  const renew = async ({ refresh_token: refreshToken }: Tokens): Promise<Tokens> => {
    try {
      return await refresh({ ...options, refreshToken });
    } catch (error) {
      // Refused, and not unreachable: kubelogin goes on to a sign-in.
      if (error instanceof openid.ResponseBodyError) return signIn();
      throw error;
    }
  };
  return {
    getToken: async (force) => {
      if (!tokens) tokens = await signIn();
      else if (force || isExpired(tokens)) tokens = await renew(tokens);
      return tokens.id_token;
    },
    copy: async () => withCache(options, tokens),
    signIns: () => signIns,
  };
};

const isExpired = ({ claims }: Tokens): boolean => Number(claims['exp']) * 1000 <= Date.now();
