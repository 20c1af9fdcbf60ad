/**
 * Drives the issuer's pages over HTTP the way a browser without JavaScript would: keeps cookies,
 * follows redirects, fills in and submits forms. For the quickstart's story and the tests.
 */
import { type HTMLElement, parse } from 'node-html-parser';
import { CookieJar } from 'tough-cookie';
import { Agent, fetch, type RequestInit, type Response } from 'undici';

/** Who signs in, and whom to trust. */
export type PageVisitor = {
  readonly username: string;
  readonly password: string;
  /** PEM of the authority that signed the issuer's certificate. */
  readonly certificateAuthority: string;
  /** Cookies of an earlier visit, to go on with its session. */
  readonly cookies?: CookieJar;
};

/** Where a visit ended. */
export type Visit = {
  /** The address of the last page: the loopback redirect with its code, or the issuer's last page. */
  readonly url: URL;
  readonly status: number;
  /** The text of the last page, for people. */
  readonly text: string;
};

const MAX_PAGES = 20;

/**
 * Opens an address and does what a willing person does on each page: signs in, confirms, until a page
 * has nothing left to submit. A redirect to a loopback address (RFC 8252) is the client's, and called.
 *
 * @throws when the pages never end
 */
export const signInThroughPages = async (address: string, visitor: PageVisitor): Promise<Visit> => {
  await using cleanup = new AsyncDisposableStack();
  const agent = new Agent({ connect: { ca: visitor.certificateAuthority } });
  cleanup.defer(() => agent.close());
  const browse = createBrowser(agent, visitor.cookies ?? new CookieJar());
  let page = await browse(address);
  for (let visited = 0; visited < MAX_PAGES; visited += 1) {
    const form = page.status < 400 ? chooseForm(page.document) : undefined;
    if (!form)
      return { url: page.url, status: page.status, text: page.document.textContent.trim() };
    page = await browse(new URL(form.getAttribute('action') ?? '', page.url).href, {
      method: 'POST',
      body: new URLSearchParams(fillIn(form, visitor)),
      headers: { origin: page.url.origin },
    });
  }
  throw new Error(
    `the sign-in did not end after ${MAX_PAGES} pages; the last was ${page.url.pathname}`,
  );
};

type Page = { readonly url: URL; readonly status: number; readonly document: HTMLElement };

const createBrowser =
  (agent: Agent, cookies: CookieJar) =>
  async (address: string, init: RequestInit = {}): Promise<Page> => {
    let url = new URL(address);
    let request = init;
    for (let redirects = 0; redirects < MAX_PAGES; redirects += 1) {
      const response = await send(url, request);
      const location = response.headers.get('location');
      if (location === null || response.status < 300 || response.status >= 400) {
        return { url, status: response.status, document: parse(await response.text()) };
      }
      await response.body?.cancel();
      url = new URL(location, url);
      request = {};
    }
    throw new Error(`too many redirects; the last was to ${url.origin}${url.pathname}`);

    async function send(to: URL, { headers, ...rest }: RequestInit): Promise<Response> {
      const response = await fetch(to, {
        ...rest,
        headers: { ...headers, cookie: await cookies.getCookieString(to.href) } as Record<
          string,
          string
        >,
        redirect: 'manual',
        dispatcher: agent,
      });
      for (const cookie of response.headers.getSetCookie())
        await cookies.setCookie(cookie, to.href);
      return response;
    }
  };

/** The form to submit: the one that asks for a password, else the first that posts. */
const chooseForm = (document: HTMLElement): HTMLElement | undefined => {
  const forms = document
    .querySelectorAll('form')
    .filter((form) => form.getAttribute('method')?.toLowerCase() === 'post');
  return forms.find((form) => form.querySelector('input[type=password]')) ?? forms[0];
};

const fillIn = (form: HTMLElement, { username, password }: PageVisitor): Record<string, string> => {
  const fields: Record<string, string> = {};
  for (const input of form.querySelectorAll('input[name]')) {
    const [name = '', type] = [input.getAttribute('name'), input.getAttribute('type')];
    fields[name] =
      type === 'password'
        ? password
        : name === 'username'
          ? username
          : (input.getAttribute('value') ?? '');
  }
  const button = form.querySelector('button[name]');
  const name = button?.getAttribute('name');
  if (button && name) fields[name] = button.getAttribute('value') ?? '';
  return fields;
};
