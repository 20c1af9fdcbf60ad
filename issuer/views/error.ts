import { html } from './html.ts';
import type { Page } from './page.ts';

/** What the error page shows. */
export type ErrorView = {
  readonly status: number;
  /** The OAuth error code, e.g. `invalid_client`. */
  readonly code: string;
  readonly description: string | undefined;
  readonly requestId: string;
};

const EXPLANATIONS: Readonly<Record<string, readonly [title: string, next: string]>> = {
  expired: [
    'This sign-in has ended',
    'It has expired, was finished already, or was started in another browser. Start again where you came from: run the command in your terminal once more.',
  ],
  forbidden: [
    'That came from somewhere else',
    'The form was not submitted from our own page. Start again where you came from.',
  ],
  not_found: ['There is nothing here', 'Check the address, or start again where you came from.'],
  invalid_client: [
    'This workspace or program is not known',
    'The client id in your configuration is not one of ours, or its workspace was deleted. Get a new kubeconfig from the workspace.',
  ],
  invalid_redirect_uri: [
    'The answer may not go there',
    'The program asked for an answer at an address that is not on this computer. Check its configuration; if you did not start it yourself, close this page.',
  ],
  temporarily_unavailable: [
    'Please wait a moment',
    'We can’t answer right now. Wait a few seconds and load this page again; if it stays, tell whoever runs this platform the number below.',
  ],
  server_error: [
    'Something went wrong here',
    'It is not your fault. Try again in a moment; if it stays, tell whoever runs this platform the number below.',
  ],
};

const OTHER = [
  'This can’t go on',
  'The program that sent you here asked for something that is not possible. Check its configuration and start again.',
] as const;

/** The one error page: what happened, what to do next, and the number to ask about. */
export const errorPage = ({ status, code, description, requestId }: ErrorView): Page => {
  const [title, next] = EXPLANATIONS[code] ?? OTHER;
  return {
    title,
    status,
    body: html`
<p>${next}</p>
<p class="foot">${description && html`${code}: ${description}<br>`}Request <code>${requestId}</code></p>`,
  };
};
