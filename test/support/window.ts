/** A window of a browser for tests, and a program on this computer that waits for its code. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContext, Page } from 'playwright-core';

/** A window; disposing of it closes it. */
export type TestWindow = AsyncDisposable & {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What the browser complained about: scripts that failed, policies that were violated. */
  readonly complaints: readonly string[];
};

/** Opens a window with cookies of its own. */
export const openWindow = async (
  browser: Browser,
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<TestWindow> => {
  // Chromium reads authorities from the user's certificate database only; the server's identity is
  // covered by the tests that go through Node.
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  return { context, page, complaints, [Symbol.asyncDispose]: () => context.close() };
};

/** A program that waits for its answer on a loopback address (RFC 8252 §7.3), as kubelogin does. */
export type LoopbackProgram = AsyncDisposable & {
  readonly redirectUri: string;
  /** The address it was called at, with the answer. */
  readonly answer: Promise<URL>;
};

/** Starts a program on a free port. */
export const listenOnLoopback = async (): Promise<LoopbackProgram> => {
  const { promise: answer, resolve } = Promise.withResolvers<URL>();
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', redirectUri);
    if (url.searchParams.has('state')) resolve(url);
    response.end('done');
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const redirectUri = `http://localhost:${(server.address() as AddressInfo).port}/`;
  return {
    redirectUri,
    answer,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
};
