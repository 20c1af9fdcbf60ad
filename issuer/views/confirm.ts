import { isLoopback } from '../http/loopback.ts';
import type { AdmissionRefusal } from '../people/admission.ts';
import type { Closure } from '../people/workspace-closure.ts';
import { type Html, html } from './html.ts';
import type { Messages } from './messages/en.ts';
import type { Page } from './page.ts';

/** What someone signs in to. */
export type Destination = {
  readonly clientName: string;
  readonly clientId: string;
  /** For the client of a workspace. */
  readonly workspace?: { readonly name: string; readonly organization: string } | undefined;
  /** The address that gets the answer; none for a device. */
  readonly redirectUri?: string | undefined;
};

/** What the confirm page shows. */
export type ConfirmView = {
  /** The interaction's own path. */
  readonly path: string;
  readonly person: { readonly name: string; readonly email: string | null };
  readonly destination: Destination;
};

/**
 * Asks whether this very sign-in is wanted: a native client can't prove which program it is (RFC 8252
 * §8.6). Nothing has the focus, so that a second Enter on the page before allows nothing.
 */
export const confirmPage = (
  messages: Messages,
  { path, person, destination }: ConfirmView,
): Page => {
  const { confirm } = messages;
  return {
    title: confirm.title(destination.workspace?.name ?? destination.clientName),
    body: html`
<p>${confirm.warning}</p>
<dl>
${destinationRows(messages, destination)}
<dt>${confirm.as}</dt><dd>${person.name}${person.email !== null && html`<small>${person.email}</small>`}</dd>
</dl>
<form method="post" action="${path}/confirm"><button>${confirm.allow}</button></form>
${otherWays(messages, path)}`,
  };
};

/** Says that the person isn't a member, and how to go on. */
export const notMemberPage = (
  messages: Messages,
  { path, person, destination }: ConfirmView,
): Page => {
  const { refusal } = messages;
  const { name, organization } = destination.workspace ?? {};
  return {
    title: refusal.notMember,
    status: 403,
    body: html`
<p>${refusal.notMemberOf(person.name, name ?? '', organization ?? '')}</p>
<p>${refusal.askAdministrator}</p>
${waysOut(messages, path)}
${workspaceId(messages, destination)}`,
  };
};

/** Says that the workspace takes nobody in, and whom to ask. */
export const closedPage = (
  messages: Messages,
  { path, destination }: ConfirmView,
  closure: Closure,
): Page => {
  const { name, organization } = destination.workspace ?? {};
  return {
    title: messages.refusal.closed(closure),
    status: 403,
    body: html`
<p>${messages.refusal.closedUntil(closure, name ?? '', organization ?? '')}</p>
${cancel(messages, path)}
${workspaceId(messages, destination)}`,
  };
};

/** Says that the person is suspended. */
export const suspendedPage = (messages: Messages, path: string): Page => ({
  title: messages.refusal.suspended,
  status: 403,
  body: html`
<p>${messages.refusal.askOperator}</p>
${waysOut(messages, path)}`,
});

/** Says why a connector's rules let the person not come in. */
export const notAdmittedPage = (
  messages: Messages,
  path: string,
  refusal: AdmissionRefusal,
): Page => ({
  title: messages.refusal.notAdmitted,
  status: 403,
  body: html`
<p>${messages.refusal.admission[refusal]}</p>
${waysOut(messages, path)}`,
});

const destinationRows = ({ common, confirm }: Messages, destination: Destination): Html => {
  const { clientName, clientId, workspace, redirectUri } = destination;
  const client = workspace ? 'kubectl' : clientName;
  return html`${
    workspace &&
    html`<dt>${common.workspace}</dt><dd>${workspace.name}</dd>
<dt>${common.organization}</dt><dd>${workspace.organization}</dd>`
  }
<dt>${common.client}</dt><dd>${client}<small><code>${clientId}</code></small></dd>
<dt>${confirm.answer}</dt><dd>${answerPlace(confirm, redirectUri)}${
    redirectUri !== undefined && html`<small><code>${redirectUri}</code></small>`
  }</dd>`;
};

const answerPlace = (
  { onDevice, onComputer, onWebsite }: Messages['confirm'],
  redirectUri: string | undefined,
): string => {
  if (redirectUri === undefined) return onDevice;
  const url = URL.canParse(redirectUri) ? new URL(redirectUri) : undefined;
  return url?.protocol === 'http:' && isLoopback(url.hostname) ? onComputer : onWebsite;
};

const workspaceId = ({ common }: Messages, { clientId }: Destination): Html =>
  html`<p class="foot">${common.workspace} <code>${clientId}</code></p>`;

/** From a refusal: the first thing to do is another account. */
const waysOut = (messages: Messages, path: string): Html => html`
<a class="button" href="${path}/switch">${messages.common.switchAccount}</a>
${cancel(messages, path)}`;

const otherWays = (messages: Messages, path: string): Html => html`
<a class="button second" href="${path}/switch">${messages.common.switchAccount}</a>
${cancel(messages, path)}`;

const cancel = ({ common }: Messages, path: string): Html =>
  html`<form method="post" action="${path}/cancel"><button class="second">${common.cancel}</button></form>`;
