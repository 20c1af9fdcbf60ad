import { type Html, html } from './html.ts';
import type { Messages } from './messages/en.ts';
import type { Page } from './page.ts';

/** A form of the device flow: where it posts, and the secret that binds it to the session. */
export type DeviceForm = { readonly action: string; readonly xsrf: string };

/** Why a code was not taken. */
export type DeviceProblem = keyof Messages['device']['problems'];

/** What the entry of a code shows. */
export type DeviceCodeView = {
  readonly form: DeviceForm;
  /** The code that the address carried, or that was typed. */
  readonly userCode?: string | undefined;
  readonly problem?: DeviceProblem | undefined;
};

/** Asks for the code that a device shows (RFC 8628 §3.3). */
export const deviceCodePage = (
  { device }: Messages,
  { form, userCode, problem }: DeviceCodeView,
): Page => ({
  title: device.title,
  ...(problem !== undefined && { status: 400 }),
  body: html`
${problem && html`<p class="alert" role="alert" id="problem"><a href="#user-code">${device.problems[problem]}</a></p>`}
<form method="post" action="${form.action}">
${hidden('xsrf', form.xsrf)}
<label for="user-code">${device.label}</label>
<input class="code" id="user-code" type="text" name="user_code" value="${userCode}" autocomplete="off"
  autocapitalize="characters" spellcheck="false" required maxlength="16" placeholder="XXXX-XXXX" autofocus${
    problem && html` aria-invalid="true" aria-describedby="problem"`
  }>
<button>${device.submit}</button>
</form>
<p class="foot">${device.warning}</p>`,
});

/** What the check of a device's code shows. */
export type DeviceCheckView = {
  readonly form: DeviceForm;
  readonly userCode: string;
  readonly clientName: string;
  readonly workspace: { readonly name: string; readonly organization: string } | undefined;
  /** The address that has asked for the code. */
  readonly ip: string | undefined;
};

/** Asks whether the code is the device's own (RFC 8628 §5.4). */
export const deviceCheckPage = (messages: Messages, view: DeviceCheckView): Page => {
  const { device } = messages;
  return {
    title: device.checkTitle,
    body: html`
<p>${device.mustShow}</p>
<strong class="code-value">${view.userCode}</strong>
${askedBy(messages, view)}
<p>${device.checkWarning}</p>
<form method="post" action="${view.form.action}">
${hidden('xsrf', view.form.xsrf)}${hidden('user_code', view.userCode)}${hidden('confirm', 'yes')}
<button>${device.matches}</button>
</form>
<form method="post" action="${view.form.action}">
${hidden('xsrf', view.form.xsrf)}${hidden('user_code', view.userCode)}${hidden('abort', 'yes')}
<button class="second">${device.refuse}</button>
</form>`,
  };
};

const askedBy = (
  { common, device }: Messages,
  { workspace, clientName, ip }: DeviceCheckView,
): Html => html`<dl>
${
  workspace
    ? html`<dt>${common.workspace}</dt><dd>${workspace.name}</dd>
<dt>${common.organization}</dt><dd>${workspace.organization}</dd>
<dt>${common.client}</dt><dd>kubectl</dd>`
    : html`<dt>${common.client}</dt><dd>${clientName}</dd>`
}
${ip !== undefined && html`<dt>${device.askedFrom}</dt><dd>${ip}</dd>`}
</dl>`;

/** Says that the device is signed in. */
export const deviceDonePage = ({ device, common }: Messages): Page => ({
  title: device.done,
  body: html`<p>${device.goBack} ${common.closePage}</p>`,
});

const hidden = (name: string, value: string): Html =>
  html`<input type="hidden" name="${name}" value="${value}">`;
