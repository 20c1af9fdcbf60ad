/** Signing a person in: in a browser on this machine, or with a code on any other. */
import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import * as oidc from 'openid-client';

/** What both ways need. */
export type SignInOptions = {
  readonly scope: string;
  readonly listenAddresses: readonly string[];
  readonly browser?: string | undefined;
  readonly notify: (message: string) => void;
};

const TIMEOUT_MS = 180_000;

/**
 * Authorization code with PKCE on a loopback redirect (RFC 8252, RFC 7636).
 *
 * @throws when nobody signs in within three minutes, the issuer refuses, or no address is free
 */
export const signInWithBrowser = async (
  configuration: oidc.Configuration,
  options: SignInOptions,
): Promise<oidc.TokenEndpointResponse> => {
  const verifier = oidc.randomPKCECodeVerifier();
  const [state, nonce] = [oidc.randomState(), oidc.randomNonce()];
  const { server, port } = await listenOnFirst(options.listenAddresses);
  try {
    const url = oidc.buildAuthorizationUrl(configuration, {
      redirect_uri: `http://localhost:${port}/`,
      scope: options.scope,
      state,
      nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    const callback = receiveCallback(server, port);
    options.notify(
      `Sign in at ${url.href}\n(no browser on this machine? --grant-type device-code)`,
    );
    openBrowser(url.href, options);
    return await oidc.authorizationCodeGrant(configuration, await callback, {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
      idTokenExpected: true,
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
};

/**
 * Device authorization (RFC 8628).
 *
 * @throws when the code expires before someone confirms it, or the issuer refuses
 */
export const signInWithDevice = async (
  configuration: oidc.Configuration,
  options: SignInOptions,
): Promise<oidc.TokenEndpointResponse> => {
  const device = await oidc.initiateDeviceAuthorization(configuration, { scope: options.scope });
  const address = device.verification_uri_complete ?? device.verification_uri;
  options.notify(`Sign in at ${address} and confirm the code ${device.user_code}`);
  if (options.browser !== undefined) openBrowser(address, options);
  return oidc.pollDeviceAuthorizationGrant(configuration, device);
};

const listenOnFirst = async (
  addresses: readonly string[],
): Promise<{ server: Server; port: number }> => {
  const causes: unknown[] = [];
  for (const address of addresses) {
    const { hostname, port } = new URL(`http://${address}`);
    const server = createServer();
    const listening = await new Promise<boolean>((resolve) => {
      server.once('error', (error) => {
        causes.push(error);
        resolve(false);
      });
      // URL drops the port 80, which nobody means here.
      server.listen(Number(port || 80), hostname, () => resolve(true));
    });
    const bound = server.address();
    if (listening && typeof bound === 'object' && bound) return { server, port: bound.port };
  }
  throw new Error(
    `Nothing of ${addresses.join(', ')} is free to receive the sign-in; use --listen-address or --grant-type device-code.`,
    { cause: new AggregateError(causes) },
  );
};

const receiveCallback = (server: Server, port: number): Promise<URL> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error('Nobody signed in within three minutes.')),
      TIMEOUT_MS,
    );
    server.on('request', (request, response) => {
      const url = new URL(request.url ?? '/', `http://localhost:${port}`);
      if (!url.searchParams.has('code') && !url.searchParams.has('error')) {
        response.writeHead(404).end();
        return;
      }
      clearTimeout(timer);
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
      response.end(
        url.searchParams.has('error')
          ? 'Signing in did not work. The terminal says why; you can close this page.\n'
          : 'You are signed in. You can close this page.\n',
        () => resolve(url),
      );
    });
  });

const OPENERS: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

/** Opens the URL; when that fails the address is on the terminal all the same. */
const openBrowser = (url: string, { browser, notify }: SignInOptions): void => {
  const [command = 'xdg-open', ...args] = browser
    ? [browser]
    : (OPENERS[process.platform] ?? ['xdg-open']);
  const child = spawn(command, [...args, url], { stdio: 'ignore', detached: true });
  child.once('error', () => notify('No browser could be opened: use the address above.'));
  child.unref();
};
