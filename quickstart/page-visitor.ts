/**
 * Visits server-rendered pages over HTTPS as a browser without JavaScript does: keeps cookies, follows
 * redirects within the site, and submits the forms that it finds.
 */
import { type HTMLElement, parse } from 'node-html-parser';
import { CookieJar } from 'tough-cookie';
import { Agent, fetch, type Response } from 'undici';

/** A page, or the address outside of the site to which it has led. */
export type VisitedPage = {
  readonly status: number;
  readonly url: URL;
  readonly headers: Response['headers'];
  readonly document: HTMLElement;
  /** The text a person sees. */
  readonly text: string;
  /** Whether `url` is outside of the site: the redirect of a client. Nothing was requested there. */
  readonly left: boolean;
};

/** A form of a page, and what to fill in. */
export type Submission = {
  /** The form's action ends so; by default the first form of the page. */
  readonly action?: string;
  /** The form has a field or value of this name; narrows further. */
  readonly having?: string;
  readonly fields?: Readonly<Record<string, string>>;
  /** Headers on top of a browser's. */
  readonly headers?: Readonly<Record<string, string>>;
};

/** A visitor, with one cookie jar. */
export type PageVisitor = AsyncDisposable & {
  readonly cookies: CookieJar;
  readonly open: (url: string) => Promise<VisitedPage>;
  /** @throws when the page has no such form */
  readonly submit: (page: VisitedPage, submission?: Submission) => Promise<VisitedPage>;
};

const MAX_REDIRECTS = 20;

/**
 * @param ca PEM of the authorities to trust
 * @param headers of every request, such as a language or the address that a proxy saw
 * @param alsoVisit origins that belong to the site as well, such as an identity provider's
 */
export const createPageVisitor = (
  ca: string | readonly string[],
  headers: Readonly<Record<string, string>> = {},
  alsoVisit: readonly string[] = [],
): PageVisitor => {
  const agent = new Agent({ connect: { ca: [ca].flat() } });
  const site = new Set(alsoVisit);
  const cookies = new CookieJar();
  const visit = async (address: URL, init: RequestInitLike): Promise<VisitedPage> => {
    let url = address;
    let request = init;
    for (let count = 0; count < MAX_REDIRECTS; count += 1) {
      const response = await fetch(url, {
        ...request,
        headers: {
          ...headers,
          ...request.headers,
          cookie: await cookies.getCookieString(url.href),
        },
        redirect: 'manual',
        dispatcher: agent,
      });
      for (const cookie of response.headers.getSetCookie()) {
        await cookies.setCookie(cookie, url.href);
      }
      const location = response.headers.get('location');
      if (location === null) return toPage(url, response);
      await response.body?.cancel();
      const target = new URL(location, url);
      if (target.origin !== address.origin && !site.has(target.origin)) {
        return toRedirect(target, response);
      }
      url = target;
      request = {};
    }
    throw new Error(`more than ${MAX_REDIRECTS} redirects, the last to ${url.pathname}`);
  };
  return {
    cookies,
    open: (url) => visit(new URL(url), {}),
    submit: (page, submission = {}) => {
      const form = findForm(page.document, submission);
      return visit(new URL(form.getAttribute('action') ?? '', page.url), {
        method: 'POST',
        body: new URLSearchParams({ ...readFields(form), ...submission.fields }),
        headers: { origin: page.url.origin, ...submission.headers },
      });
    },
    [Symbol.asyncDispose]: () => agent.close(),
  };
};

type RequestInitLike = {
  readonly method?: string;
  readonly body?: URLSearchParams;
  readonly headers?: Readonly<Record<string, string>>;
};

const toPage = async (url: URL, response: Response): Promise<VisitedPage> => {
  const document = parse(await response.text());
  return {
    status: response.status,
    url,
    headers: response.headers,
    document,
    text: document.textContent.replace(/\s+/g, ' ').trim(),
    left: false,
  };
};

const toRedirect = (url: URL, response: Response): VisitedPage => ({
  status: response.status,
  url,
  headers: response.headers,
  document: parse(''),
  text: '',
  left: true,
});

const findForm = (document: HTMLElement, { action, having }: Submission): HTMLElement => {
  // Around the page's own content is the switch of its language.
  const form = (document.querySelector('main') ?? document)
    .querySelectorAll('form[method=post]')
    .find(
      (each) =>
        (action === undefined || each.getAttribute('action')?.endsWith(action)) &&
        (having === undefined || each.querySelector(`[name=${having}]`) !== null),
    );
  if (form) return form;
  throw new Error(`no form ${action ?? ''} ${having ?? ''} on: ${document.textContent.trim()}`);
};

const readFields = (form: HTMLElement): Record<string, string> =>
  Object.fromEntries(
    form
      .querySelectorAll('input[name]')
      .map((input) => [input.getAttribute('name') ?? '', input.getAttribute('value') ?? '']),
  );
