/** The pages of the device flow (RFC 8628); the flow itself is oidc-provider's. */
import { type Configuration, errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { CommonQueryMethods } from 'slonik';
import {
  type DeviceForm,
  deviceCheckPage,
  deviceCodePage,
  deviceDonePage,
} from '../views/device.ts';
import { sendPage } from '../views/page.ts';
import { findWorkspace } from './destination.ts';

type DeviceFlow = NonNullable<NonNullable<Configuration['features']>['deviceFlow']>;

/** The configuration of the device flow, with its three pages. */
export const createDeviceFlow = (database: CommonQueryMethods): DeviceFlow => ({
  enabled: true,
  charset: 'base-20',
  mask: '****-****',
  userCodeInputSource: async (ctx, _form, out, error) => {
    sendPage(ctx, deviceCodePage(formOf(ctx), problemOf(out, error)));
  },
  userCodeConfirmSource: async (ctx, _form, client, deviceInfo, userCode) => {
    const view = deviceCheckPage({
      form: formOf(ctx),
      userCode,
      clientName: client.clientName ?? client.clientId,
      workspace: await findWorkspace(database, client.clientId),
      ip: typeof deviceInfo['ip'] === 'string' ? deviceInfo['ip'] : undefined,
    });
    sendPage(ctx, view);
  },
  successSource: async (ctx) => sendPage(ctx, deviceDonePage),
});

const formOf = (ctx: KoaContextWithOIDC): DeviceForm => ({
  action: ctx.oidc.urlFor('code_verification'),
  xsrf: String(ctx.oidc.session?.state?.['secret']),
});

const PROBLEMS: Readonly<Record<string, string>> = {
  NoCodeError: 'Enter the code.',
  NotFoundError: 'That code is not known. Check it, or ask your device for a new one.',
  ExpiredError: 'That code has expired. Ask your device for a new one.',
  AlreadyUsedError: 'That code has been used. Ask your device for a new one.',
  AbortedError: 'You have refused the sign-in. The device gets nothing.',
};

const problemOf = (out: unknown, error: unknown): string | undefined => {
  if (out === undefined && error === undefined) return undefined;
  if (error instanceof errors.SessionNotFound) return 'That took too long. Enter the code again.';
  const name = error instanceof Error ? error.name : '';
  return PROBLEMS[name] ?? 'That did not work. Ask your device for a new code and start again.';
};
