import type { OwnGrant, OwnSession } from '../account/sessions.ts';
import { parseUserAgent } from '../account/user-agent.ts';
import { accountNavigation } from './account-frame.ts';
import { type Html, html } from './html.ts';
import type { Messages } from './messages/en.ts';
import type { Page } from './page.ts';

/** What the page of sessions shows. */
export type SessionsView = {
  readonly personName: string;
  readonly sessions: readonly OwnSession[];
  readonly grants: readonly OwnGrant[];
};

/** Where someone is signed in, each place with a way to end it. */
export const sessionsPage = (messages: Messages, view: SessionsView): Page => {
  const words = messages.account.sessions;
  return {
    title: words.title,
    body: html`
<p class="quiet">${messages.account.signedInAs(view.personName)}</p>
${accountNavigation(messages, 'sessions')}
<section aria-labelledby="browsers"><h2 id="browsers">${words.browsers}</h2>
<ul class="entries">${view.sessions.map((session) => sessionEntry(messages, session))}</ul>
<a class="button second" href="/session/end">${words.signOut}</a>
</section>
<section aria-labelledby="programs"><h2 id="programs">${words.programs}</h2>
${
  view.grants.length === 0
    ? html`<p>${words.noPrograms}</p>`
    : html`<ul class="entries">${view.grants.map((grant) => grantEntry(messages, grant))}</ul>`
}</section>
<section aria-labelledby="everywhere"><h2 id="everywhere">${words.everywhere}</h2>
<p>${words.everywhereText}</p>
<form method="post" action="/account/sign-out-everywhere"><button>${words.everywhere}</button></form>
</section>`,
  };
};

const sessionEntry = (messages: Messages, session: OwnSession): Html => {
  const words = messages.account.sessions;
  const title = describeProgram(words, session.origin?.userAgent ?? '');
  return html`<li><h3>${title}</h3>
${session.isThisBrowser && html`<p class="quiet">${words.thisBrowser}</p>`}
<dl>${originRows(messages, session)}</dl>
${endForm(words, `/account/sessions/${session.id}/end`, title)}</li>`;
};

const grantEntry = (messages: Messages, grant: OwnGrant): Html => {
  const { common, account } = messages;
  const { workspace, clientName } = grant.destination;
  const title = workspace?.name ?? clientName;
  return html`<li><h3>${title}</h3>
${grant.origin?.device === true && html`<p class="quiet">${account.sessions.device}</p>`}
<dl>${workspace && html`<dt>${common.organization}</dt><dd>${workspace.organization}</dd>`}
<dt>${common.client}</dt><dd>${workspace ? 'kubectl' : clientName}<small>${describeProgram(account.sessions, grant.origin?.userAgent ?? '')}</small></dd>
${originRows(messages, grant)}</dl>
${endForm(account.sessions, `/account/grants/${grant.id}/end`, title)}</li>`;
};

const originRows = (
  { account: { sessions: words }, locale }: Messages,
  { origin, startedAt, lastUsedAt }: Pick<OwnSession, 'origin' | 'startedAt' | 'lastUsedAt'>,
): Html => html`${origin?.ip && html`<dt>${words.address}</dt><dd>${origin.ip}</dd>`}
${startedAt !== undefined && html`<dt>${words.started}</dt><dd>${moment(locale, startedAt)}</dd>`}
${lastUsedAt !== undefined && html`<dt>${words.lastUsed}</dt><dd>${moment(locale, lastUsedAt)}</dd>`}`;

const endForm = (
  { end, endOf }: Messages['account']['sessions'],
  action: string,
  what: string,
): Html =>
  html`<form method="post" action="${action}"><button class="second" aria-label="${endOf(what)}">${end}</button></form>`;

const describeProgram = (
  { on, unknown }: Messages['account']['sessions'],
  userAgent: string,
): string => {
  const { name, system } = parseUserAgent(userAgent);
  if (name === undefined) return unknown;
  return system === undefined ? name : on(name, system);
};

/** In UTC, because the server can't know where the person is. */
const moment = (locale: string, seconds: number): Html => {
  const date = new Date(seconds * 1000);
  const text = new Intl.DateTimeFormat(locale, {
    dateStyle: 'medium',
    timeStyle: 'short',
    timeZone: 'UTC',
  }).format(date);
  return html`<time datetime="${date.toISOString()}">${text} UTC</time>`;
};
