/** One interaction: the person's dialogue in the middle of an authorization request. */
import type { Context } from 'koa';
import { errors, type Provider } from 'oidc-provider';
import type { DatabasePool } from 'slonik';
import type { Encryption } from '#runtime/encryption.ts';
import type { Logger } from '#runtime/log.ts';
import type { Connector } from '../connectors/connector.ts';
import type { RoundTrips } from '../connectors/round-trip.ts';
import type { Limits } from '../limits/limits.ts';
import type { UpstreamAges } from '../people/upstream/remember.ts';
import type { Destination } from '../views/confirm.ts';
import type { Messages } from '../views/messages/en.ts';
import { messagesFor, rememberUiLocales } from '../views/messages/messages.ts';
import { type Page, sendPage } from '../views/page.ts';
import type { SignInHints } from './choice.ts';
import { findDestination, toFormTarget } from './destination.ts';

/** What the pages of interactions need. */
export type InteractionDeps = {
  readonly provider: Provider;
  readonly database: DatabasePool;
  readonly connectors: readonly Connector[];
  readonly limits: Limits;
  readonly roundTrips: RoundTrips;
  readonly encryption: Encryption;
  readonly ages: UpstreamAges;
  readonly log: Logger;
};

/** An interaction with what its pages show. */
export type Dialogue = {
  readonly interaction: Interaction;
  /** Its own path. */
  readonly path: string;
  readonly destination: Destination;
  /** What the client says about how to sign in. */
  readonly hints: SignInHints;
  /** Of the parameter `prompt`. */
  readonly prompts: ReadonlySet<string>;
  /** The words of the person's language. */
  readonly messages: Messages;
  readonly send: (page: Page) => void;
};

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>;

/**
 * The interaction that the address and the browser's cookie name, both the same one.
 *
 * @throws SessionNotFound when it has ended, is of another browser, or its session has changed hands
 */
export const loadDialogue = async (
  { provider, database }: InteractionDeps,
  ctx: Context,
  uid: string,
): Promise<Dialogue> => {
  const interaction = await provider.interactionDetails(ctx.req, ctx.res);
  if (interaction.uid !== uid) throw new errors.SessionNotFound('not this browser’s interaction');
  const clientId = String(interaction.params['client_id']);
  const redirectUri = interaction.deviceCode ? undefined : text(interaction.params['redirect_uri']);
  rememberUiLocales(ctx, interaction.params['ui_locales']);
  const path = `/interaction/${uid}`;
  ctx.state['retryPath'] = `${path}/switch`;
  // The answer to a form, or from a provider, is no page to come back to.
  const address = ctx.path === `${path}/switch` ? ctx.path : path;
  const client = await provider.Client.find(clientId);
  return {
    interaction,
    path,
    messages: messagesFor(ctx),
    hints: {
      connectorId: text(interaction.params['connector_id']),
      loginHint: text(interaction.params['login_hint']),
    },
    prompts: new Set(text(interaction.params['prompt'])?.split(' ')),
    destination: await findDestination(database, {
      clientId,
      clientName: client?.clientName,
      redirectUri,
    }),
    send: (page) => sendPage(ctx, page, { formTarget: toFormTarget(redirectUri), address }),
  };
};

const text = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined;

/** Goes back to the authorization request with the outcome; the answer is then the provider's. */
export const finish = async (
  provider: Provider,
  ctx: Context,
  result: Parameters<Provider['interactionFinished']>[2],
): Promise<void> => {
  const returnTo = await provider.interactionResult(ctx.req, ctx.res, result, {
    mergeWithLastSubmission: !('error' in result),
  });
  ctx.status = 303;
  ctx.set('Location', returnTo);
  ctx.body = '';
};
