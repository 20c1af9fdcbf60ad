/**
 * The frame of every page, and how one is sent: no script, one stylesheet of our own, never in a frame.
 */
import type { Context } from 'koa';
import { type Brand, brandOf } from './branding/brand.ts';
import { type Html, html } from './html.ts';
import { LOGO } from './marks.ts';
import type { Messages } from './messages/en.ts';
import { CATALOGS, messagesFor } from './messages/messages.ts';

/** What a page says. */
export type Page = {
  readonly title: string;
  readonly body: Html;
  /** The HTTP status; by default it stays as it is. */
  readonly status?: number;
};

/** How a page is sent. */
export type SendOptions = {
  /** Where else than here its forms may lead, by redirect: Chromium counts those as form targets. */
  readonly formTarget?: string | undefined;
  /**
   * The page's own path and query, to come back to in another language. By default the request's, if that
   * was a GET; an answer to a form without one has no switch.
   */
  readonly address?: string | undefined;
};

// A longer one would not fit into the form of the switch.
const MAX_ADDRESS_LENGTH = 4_096;

/** The Content-Security-Policy of our pages. */
export const contentSecurityPolicy = (formTarget?: string): string =>
  [
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self' data:",
    // Empty is nothing; oidc-provider adds the hash of the script of its self-submitting forms.
    'script-src',
    "base-uri 'none'",
    "frame-ancestors 'none'",
    `form-action ${["'self'", formTarget].filter(Boolean).join(' ')}`,
  ].join('; ');

/** Sends a page, in the frame in the language of whoever asks. */
export const sendPage = (ctx: Context, page: Page, options: SendOptions = {}): void => {
  const messages = messagesFor(ctx);
  const address = options.address ?? addressOf(ctx);
  if (page.status !== undefined) ctx.status = page.status;
  ctx.type = 'html';
  ctx.set('Cache-Control', 'no-store');
  ctx.set('Content-Language', messages.locale);
  ctx.vary('Accept-Language');
  ctx.set('Content-Security-Policy', contentSecurityPolicy(options.formTarget));
  ctx.body = `<!doctype html>\n${frame({ page, messages, address, brand: brandOf(ctx) }).html}\n`;
};

/** None for `//host`, which as a link would be another site. */
const addressOf = ({ method, originalUrl }: Context): string =>
  method === 'GET' && /^\/(?![/\\])/.test(originalUrl) ? originalUrl : '';

type Frame = {
  readonly page: Page;
  readonly messages: Messages;
  readonly brand: Brand;
  /** Empty when there is nothing to come back to. */
  readonly address: string;
};

const frame = ({
  page,
  messages,
  brand,
  address,
}: Frame): Html => html`<html lang="${messages.locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${page.title} · ${brand.name}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${brand.stylePath}">
</head>
<body>
<header class="brand">${logo(brand)}<span>${brand.name}</span></header>
<main class="card">
<h1>${page.title}</h1>
${page.body}
</main>
<footer>
${address.length > 0 && address.length <= MAX_ADDRESS_LENGTH && languageSwitch(messages, address)}
${brandLinks(messages, brand)}
</footer>
</body>
</html>`;

const logo = ({ logoPath }: Brand): Html =>
  logoPath === undefined ? LOGO : html`<img class="logo" src="${logoPath}" alt="" height="32">`;

const brandLinks = ({ frame: words }: Messages, { links }: Brand): Html | undefined => {
  const items = [
    [links.support, words.support],
    [links.terms, words.terms],
    [links.privacy, words.privacy],
  ].filter(([href]) => href !== undefined);
  return items.length === 0
    ? undefined
    : html`<nav aria-label="${words.links}"><ul>
${items.map(([href, text]) => html`<li><a href="${href}">${text}</a></li>`)}
</ul></nav>`;
};

/** One button for each language, which works without scripts. */
const languageSwitch = (messages: Messages, address: string): Html =>
  html`<form class="languages" method="post" action="/locale" aria-label="${messages.frame.switchLanguage}">
<input type="hidden" name="address" value="${address}">
${CATALOGS.map(
  ({ locale, language }) =>
    html`<button name="locale" value="${locale}" lang="${locale}"${locale === messages.locale && html` aria-current="true"`}>${language}</button>`,
)}
</form>`;
