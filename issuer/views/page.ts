/**
 * The frame of every page, and how one is sent: no script, one stylesheet of our own, never in a frame.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Context, Middleware } from 'koa';
import { type Html, html } from './html.ts';

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
};

const STYLE = readFileSync(new URL('./style.css', import.meta.url), 'utf8');
const STYLE_PATH = `/assets/${createHash('sha256').update(STYLE).digest('hex').slice(0, 16)}.css`;

/** Serves the stylesheet, under a name that changes with it. */
export const serveStyle: Middleware = async (ctx, next) => {
  if (ctx.path !== STYLE_PATH) return next();
  ctx.type = 'text/css';
  ctx.set('Cache-Control', 'public, max-age=31536000, immutable');
  ctx.body = STYLE;
};

/** The Content-Security-Policy of our pages. */
export const contentSecurityPolicy = (formTarget?: string): string =>
  [
    "default-src 'none'",
    "style-src 'self'",
    'img-src data:',
    // Empty is nothing; oidc-provider adds the hash of the script of its self-submitting forms.
    'script-src',
    "base-uri 'none'",
    "frame-ancestors 'none'",
    `form-action ${["'self'", formTarget].filter(Boolean).join(' ')}`,
  ].join('; ');

/** Sends a page. */
export const sendPage = (ctx: Context, page: Page, { formTarget }: SendOptions = {}): void => {
  if (page.status !== undefined) ctx.status = page.status;
  ctx.type = 'html';
  ctx.set('Cache-Control', 'no-store');
  ctx.set('Content-Security-Policy', contentSecurityPolicy(formTarget));
  ctx.body = `<!doctype html>\n${frame(page).html}\n`;
};

const LOGO = html`<svg class="logo" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true"
  ><path d="M16 2 28 9v14l-12 7L4 23V9z" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linejoin="round"
  /><path d="M16 9.5 21.6 12.8v6.4L16 22.5l-5.6-3.3v-6.4z" fill="currentColor"
  /></svg>`;

const frame = ({ title, body }: Page): Html => html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Hexabase</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${STYLE_PATH}">
</head>
<body>
<header class="brand">${LOGO}<span>Hexabase</span></header>
<main class="card">
<h1>${title}</h1>
${body}
</main>
</body>
</html>`;
