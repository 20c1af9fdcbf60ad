import type { Closure } from '../people/workspace-closure.ts';
import { type Html, html } from './html.ts';
import type { Page } from './page.ts';

/** What someone signs in to. */
export type Destination = {
  readonly clientName: string;
  readonly clientId: string;
  /** For the client of a workspace. */
  readonly workspace?: { readonly name: string; readonly organization: string } | undefined;
  /** The loopback address that gets the answer; none for a device. */
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
 * Asks whether this very sign-in is wanted: a native client can't prove which program it is. Nothing has
 * the focus, so that a second Enter on the page before allows nothing.
 */
export const confirmPage = ({ path, person, destination }: ConfirmView): Page => ({
  title: destination.workspace
    ? `Sign in to ${destination.workspace.name}?`
    : `Sign in to ${destination.clientName}?`,
  body: html`
<p>Only go on if you have just started this yourself.</p>
<dl>
${destinationRows(destination)}
<dt>As</dt><dd>${person.name}${person.email !== null && html`<small>${person.email}</small>`}</dd>
</dl>
<form method="post" action="${path}/confirm"><button>Allow</button></form>
${otherWays(path)}`,
});

/** Says that the person isn't a member, and how to go on. */
export const notMemberPage = ({ path, person, destination }: ConfirmView): Page => ({
  title: 'You are not a member of this workspace',
  status: 403,
  body: html`
<p><strong>${person.name}</strong> can’t sign in to <strong>${destination.workspace?.name}</strong> of
<strong>${destination.workspace?.organization}</strong>.</p>
<p>Ask an administrator of the workspace to add you, or sign in with another account.</p>
<a class="button" href="${path}/switch">Sign in as someone else</a>
<form method="post" action="${path}/cancel"><button class="second">Cancel</button></form>
<p class="foot">Workspace <code>${destination.clientId}</code></p>`,
});

/** Says that the workspace takes nobody in, and whom to ask. */
export const closedPage = ({ path, destination }: ConfirmView, closure: Closure): Page => ({
  title:
    closure === 'suspended' ? 'This workspace is suspended' : 'This workspace is being deleted',
  status: 403,
  body: html`
<p>Nobody can sign in to <strong>${destination.workspace?.name}</strong> of
<strong>${destination.workspace?.organization}</strong> until a user of the organization
${closure === 'suspended' ? 'resumes' : 'restores'} it.</p>
<form method="post" action="${path}/cancel"><button class="second">Cancel</button></form>
<p class="foot">Workspace <code>${destination.clientId}</code></p>`,
});

/** Says that the person is suspended. */
export const suspendedPage = (path: string): Page => ({
  title: 'This account is suspended',
  status: 403,
  body: html`
<p>It can’t sign in. Ask whoever runs this platform why, or sign in with another account.</p>
<a class="button" href="${path}/switch">Sign in as someone else</a>
<form method="post" action="${path}/cancel"><button class="second">Cancel</button></form>`,
});

const destinationRows = ({ clientName, clientId, workspace, redirectUri }: Destination): Html => {
  const answer = redirectUri === undefined ? 'on a device' : `on this computer, ${redirectUri}`;
  return workspace
    ? html`<dt>Workspace</dt><dd>${workspace.name}</dd>
<dt>Organization</dt><dd>${workspace.organization}</dd>
<dt>Client</dt><dd>kubectl<small>${answer}</small><small><code>${clientId}</code></small></dd>`
    : html`<dt>Client</dt><dd>${clientName}<small>${answer}</small><small><code>${clientId}</code></small></dd>`;
};

const otherWays = (path: string): Html => html`
<a class="button second" href="${path}/switch">Sign in as someone else</a>
<form method="post" action="${path}/cancel"><button class="second">Cancel</button></form>`;
