/** Small pictures, drawn here: nothing is loaded from elsewhere. All are decoration. */
import type { RedirectConnector } from '../connectors/connector.ts';
import { type Html, html } from './html.ts';

/** Ours, where no logo is configured. */
export const LOGO = html`<svg class="logo" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true"
  ><path d="M16 2 28 9v14l-12 7L4 23V9z" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linejoin="round"
  /><path d="M16 9.5 21.6 12.8v6.4L16 22.5l-5.6-3.3v-6.4z" fill="currentColor"
  /></svg>`;

/** What stands on a connector's button: a letter in a ring for Google, a branch for GitHub, a key for others. */
export const connectorMark = (type: RedirectConnector['type']): Html => MARKS[type];

const mark = (drawing: Html): Html =>
  html`<svg class="mark" viewBox="0 0 20 20" width="20" height="20" fill="none" stroke="currentColor"
  stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${drawing}</svg>`;

const MARKS: Readonly<Record<RedirectConnector['type'], Html>> = {
  google: mark(html`<path d="M10 10h7a7 7 0 1 1-2.2-5.1"/>`),
  github: mark(
    html`<circle cx="5.5" cy="4.5" r="2"/><circle cx="5.5" cy="15.5" r="2"/><circle cx="14.5" cy="6.5" r="2"/><path d="M5.5 6.5v7M14.5 8.5c0 3-6 2.5-8.4 5.2"/>`,
  ),
  oidc: mark(html`<circle cx="6.5" cy="13.5" r="3.5"/><path d="m9 11 7.5-7.5M13 7l2.8 2.8"/>`),
};
