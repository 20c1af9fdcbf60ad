/** The pages of the device flow (RFC 8628); the flow itself is oidc-provider's. */

import type { Middleware } from 'koa';
import { type Configuration, errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { CommonQueryMethods } from 'slonik';
import {
  type DeviceForm,
  type DeviceProblem,
  deviceCheckPage,
  deviceCodePage,
  deviceDonePage,
} from '../views/device.ts';
import { messagesFor } from '../views/messages/messages.ts';
import { sendPage } from '../views/page.ts';
import { findWorkspace } from './destination.ts';
import { renderProviderError } from './errors.ts';

type DeviceFlow = NonNullable<NonNullable<Configuration['features']>['deviceFlow']>;

/**
 * Keeps the code of `verification_uri_complete` (RFC 8628 §3.3.1) for the entry's field: the person reads and
 * sends it. The provider would send it on by a script.
 */
export const keepUserCode: Middleware = async (ctx, next) => {
  const { user_code: userCode, ...others } = ctx.query;
  if (ctx.path === '/device' && ctx.method === 'GET' && typeof userCode === 'string') {
    ctx.state['userCode'] = userCode.slice(0, MAX_CODE_LENGTH);
    ctx.query = others;
  }
  return next();
};

const MAX_CODE_LENGTH = 16;
const MAX_USER_AGENT = 256;

/** The configuration of the device flow, with its three pages. */
export const createDeviceFlow = (database: CommonQueryMethods): DeviceFlow => ({
  enabled: true,
  charset: 'base-20',
  mask: '****-****',
  // Stored before anyone has signed in.
  deviceInfo: (ctx) => ({ ip: ctx.ip, ua: ctx.get('user-agent').slice(0, MAX_USER_AGENT) }),
  userCodeInputSource: async (ctx, _form, out, error) => {
    if (out !== undefined && forgetNewSession(ctx)) {
      await renderProviderError(ctx, out, new errors.SessionNotFound('there is no session'));
      return;
    }
    const problem = problemOf(out, error);
    // What was mistyped can be corrected; what is over is of no more use.
    const userCode = problem && problem !== 'NotFoundError' ? undefined : userCodeOf(ctx);
    const view = { form: formOf(ctx), userCode, problem };
    sendPage(ctx, deviceCodePage(messagesFor(ctx), view), { address: addressOf(ctx) });
  },
  userCodeConfirmSource: async (ctx, _form, client, deviceInfo, userCode) => {
    const view = {
      form: formOf(ctx),
      userCode,
      clientName: client.clientName ?? client.clientId,
      workspace: await findWorkspace(database, client.clientId),
      ip: typeof deviceInfo['ip'] === 'string' ? deviceInfo['ip'] : undefined,
    };
    sendPage(ctx, deviceCheckPage(messagesFor(ctx), view), { address: addressOf(ctx) });
  },
  successSource: async (ctx) => sendPage(ctx, deviceDonePage(messagesFor(ctx))),
});

/**
 * After an error oidc-provider asks for the code again, with a secret in a session that it then fails to
 * store when the browser has none. Such a browser is told to start again.
 */
const forgetNewSession = ({ oidc }: KoaContextWithOIDC): boolean => {
  const { session } = oidc;
  if (!session || session.exp !== undefined) return false;
  Object.assign(session, { touched: false });
  return true;
};

const formOf = (ctx: KoaContextWithOIDC): DeviceForm => ({
  action: ctx.oidc.urlFor('code_verification'),
  xsrf: String(ctx.oidc.session?.state?.['secret']),
});

/** What the address carried, or what was typed. */
const userCodeOf = (ctx: KoaContextWithOIDC): string | undefined => {
  const code = ctx.state['userCode'] ?? ctx.oidc.params?.['user_code'];
  return typeof code === 'string' ? code.slice(0, MAX_CODE_LENGTH) : undefined;
};

/** Where the same code can be entered, in another language. */
const addressOf = (ctx: KoaContextWithOIDC): string => {
  const userCode = userCodeOf(ctx);
  return userCode ? `/device?${new URLSearchParams({ user_code: userCode })}` : '/device';
};

const PROBLEMS: readonly string[] = [
  'NoCodeError',
  'NotFoundError',
  'ExpiredError',
  'AlreadyUsedError',
  'AbortedError',
] satisfies readonly DeviceProblem[];

const problemOf = (out: unknown, error: unknown): DeviceProblem | undefined => {
  if (out === undefined && error === undefined) return undefined;
  if (error instanceof errors.SessionNotFound) return 'SessionNotFound';
  const name = error instanceof Error ? error.name : '';
  return PROBLEMS.includes(name) ? (name as DeviceProblem) : 'other';
};
