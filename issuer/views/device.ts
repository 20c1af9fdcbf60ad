import { type Html, html } from './html.ts';
import type { Page } from './page.ts';

/** A form of the device flow: where it posts, and the secret that binds it to the session. */
export type DeviceForm = { readonly action: string; readonly xsrf: string };

/** Asks for the code that a device shows (RFC 8628 §3.3). */
export const deviceCodePage = (form: DeviceForm, problem?: string): Page => ({
  title: 'Connect a device',
  ...(problem !== undefined && { status: 400 }),
  body: html`
${problem && html`<p class="alert" role="alert" id="problem">${problem}</p>`}
<form method="post" action="${form.action}">
${hidden('xsrf', form.xsrf)}
<label for="user-code">Code shown by the device or terminal</label>
<input class="code" id="user-code" type="text" name="user_code" autocomplete="off" autocapitalize="characters"
  spellcheck="false" required maxlength="16" placeholder="XXXX-XXXX" autofocus${
    problem && html` aria-invalid="true" aria-describedby="problem"`
  }>
<button>Continue</button>
</form>
<p class="foot">Only enter a code that you have just asked for yourself, never one that someone has sent you.</p>`,
});

/** What the check of a device's code shows. */
export type DeviceCheckView = {
  readonly form: DeviceForm;
  readonly userCode: string;
  readonly clientName: string;
  readonly workspace: { readonly name: string; readonly organization: string } | undefined;
  readonly ip: string | undefined;
};

/** Asks whether the code is the device's own (RFC 8628 §5.4). */
export const deviceCheckPage = (view: DeviceCheckView): Page => ({
  title: 'Does the code match?',
  body: html`
<p>Your device or terminal must show this code:</p>
<strong class="code-value">${view.userCode}</strong>
<dl>
${
  view.workspace
    ? html`<dt>Workspace</dt><dd>${view.workspace.name}</dd>
<dt>Organization</dt><dd>${view.workspace.organization}</dd>
<dt>Client</dt><dd>kubectl</dd>`
    : html`<dt>Client</dt><dd>${view.clientName}</dd>`
}
${view.ip !== undefined && html`<dt>Asked for by</dt><dd>${view.ip}</dd>`}
</dl>
<form method="post" action="${view.form.action}">
${hidden('xsrf', view.form.xsrf)}${hidden('user_code', view.userCode)}${hidden('confirm', 'yes')}
<button>It matches</button>
</form>
<form method="post" action="${view.form.action}">
${hidden('xsrf', view.form.xsrf)}${hidden('user_code', view.userCode)}${hidden('abort', 'yes')}
<button class="second">It doesn’t, or I didn’t ask for it</button>
</form>`,
});

/** Says that the device is signed in. */
export const deviceDonePage: Page = {
  title: 'You are signed in',
  body: html`<p>Go back to your device or terminal. You can close this page.</p>`,
};

const hidden = (name: string, value: string): Html =>
  html`<input type="hidden" name="${name}" value="${value}">`;
