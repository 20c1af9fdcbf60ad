import { type Html, html } from './html.ts';
import type { Messages } from './messages/en.ts';
import type { ErrorCode } from './messages/en-errors.ts';
import type { Page } from './page.ts';

/** What the error page shows. */
export type ErrorView = {
  readonly status: number;
  /** The OAuth error code, e.g. `invalid_client`, or one of our own. */
  readonly code: string;
  /** For whoever looks into it, in English. */
  readonly description?: string | undefined;
  readonly requestId: string;
  /** After how many seconds it may be tried again. */
  readonly retryAfter?: number | undefined;
  /** Where the same sign-in can be tried again. */
  readonly retryPath?: string | undefined;
};

/** The one error page: what happened, what to do next, and the number to ask about. */
export const errorPage = ({ error }: Messages, view: ErrorView): Page => {
  const { title, next } = error.codes[isKnown(error, view.code) ? view.code : 'other'];
  return {
    title,
    status: view.status,
    body: html`
<p>${next}</p>
${view.retryAfter !== undefined && html`<p>${error.retryIn(Math.max(1, view.retryAfter))}</p>`}
${view.retryPath !== undefined && html`<a class="button" href="${view.retryPath}">${error.retry}</a>`}
<div class="foot">${details(error, view)}<p>${error.request} <code>${view.requestId}</code></p></div>`,
  };
};

const details = (error: Messages['error'], { code, description }: ErrorView): Html | undefined =>
  description === undefined
    ? undefined
    : html`<p>${error.details}: <code lang="en">${code}: ${description}</code></p>`;

const isKnown = (error: Messages['error'], code: string): code is ErrorCode =>
  Object.hasOwn(error.codes, code);
