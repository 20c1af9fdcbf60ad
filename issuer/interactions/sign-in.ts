/** The sign-in page of an interaction, and what its forms and links do. */
import type { Context } from 'koa';
import { toNetwork } from '../http/client-address.ts';
import { readForm } from '../http/form.ts';
import { attemptPassword } from '../limits/password.ts';
import { signInPage } from '../views/sign-in.ts';
import { offerConnectors, onlyProvider } from './choice.ts';
import { completeSignIn } from './complete.ts';
import type { Dialogue, InteractionDeps } from './interaction.ts';
import { startUpstream } from './upstream.ts';

/** Prompts of OpenID Connect that are answered by signing in. */
export const SIGN_IN_PROMPTS: ReadonlySet<string> = new Set(['login', 'select_account']);

type RoutedContext = Context & { readonly params: Record<string, string> };

/** Asks who someone is; where there is one provider and nothing to choose, sends them there at once. */
export const offerSignIn = async (
  deps: InteractionDeps,
  ctx: Context,
  dialogue: Dialogue,
): Promise<void> => {
  const connector = onlyProvider(offerConnectors(deps.connectors, dialogue.hints));
  if (connector) await startUpstream(deps, ctx, { dialogue, connector, selectAccount: false });
  else showSignIn(deps, dialogue);
};

/** What the sign-in page is shown with. */
export type ShowOptions = {
  /** Whether another account is wanted than the one at hand: then every connector is offered. */
  readonly switching?: boolean;
  readonly failed?: { readonly connectorId: string; readonly username: string };
};

/** Shows the sign-in page. */
export const showSignIn = (
  { connectors }: InteractionDeps,
  { path, hints, destination, messages, send }: Dialogue,
  { switching = false, failed }: ShowOptions = {},
): void =>
  send(
    signInPage(messages, {
      path,
      connectors: switching || failed ? connectors : offerConnectors(connectors, hints),
      failed,
      selectAccount: switching,
      loginHint: hints.loginHint,
      destination: destination.workspace?.name ?? destination.clientName,
    }),
  );

/** Signs in by a submitted form, or starts a sign-in at a provider. */
export const submitSignIn = async (
  deps: InteractionDeps,
  ctx: RoutedContext,
  dialogue: Dialogue,
): Promise<void> => {
  const connector = deps.connectors.find(({ id }) => id === ctx.params['connector']);
  if (connector?.kind !== 'password') return startAtProvider(deps, ctx, dialogue);
  const form = await readForm(ctx);
  const username = form.get('username') ?? '';
  const attempt = { connector: connector.id, username, network: toNetwork(ctx.ip) };
  const identity = await attemptPassword(deps.limits, attempt, () =>
    connector.signIn(username, form.get('password') ?? ''),
  );
  if (!identity) {
    showSignIn(deps, dialogue, { failed: { connectorId: connector.id, username } });
    return;
  }
  const signIn = { identity, groups: undefined, credential: undefined };
  await completeSignIn(deps, ctx, { dialogue, signIn, amr: ['pwd'] });
};

/** Starts a sign-in at the provider that the address names; with `?account=select` by another account. */
export const startAtProvider = async (
  deps: InteractionDeps,
  ctx: RoutedContext,
  dialogue: Dialogue,
): Promise<void> => {
  const connector = deps.connectors.find(({ id }) => id === ctx.params['connector']);
  if (connector?.kind !== 'redirect') return;
  const selectAccount = ctx.query['account'] === 'select';
  await startUpstream(deps, ctx, { dialogue, connector, selectAccount });
};
