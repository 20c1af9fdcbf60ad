/** Signing in at an identity provider, in the middle of an authorization request. */
import type { Context } from 'koa';
import type { RedirectConnector } from '../connectors/connector.ts';
import { completeSignIn } from './complete.ts';
import type { Dialogue, InteractionDeps } from './interaction.ts';

const MAX_HINT = 255;

/** How a sign-in at a provider is started. */
export type StartOptions = {
  /** Whether the person wants another account than the one they have there. */
  readonly selectAccount: boolean;
};

/**
 * Sends the browser to a provider, with what the client asked for.
 *
 * @throws UpstreamError
 */
export const startUpstream = async (
  { roundTrips }: InteractionDeps,
  ctx: Context,
  trip: StartOptions & {
    readonly dialogue: Dialogue;
    readonly connector: RedirectConnector;
  },
): Promise<void> => {
  const { interaction, hints, prompts } = trip.dialogue;
  const { loginHint = '' } = hints;
  const url = await roundTrips.begin(
    trip.connector,
    { purpose: 'interaction', uid: interaction.uid },
    {
      forceLogin: prompts.has('login') || interaction.prompt.reasons.includes('max_age'),
      selectAccount: trip.selectAccount || prompts.has('select_account'),
      ...(loginHint !== '' && loginHint.length <= MAX_HINT && { loginHint }),
    },
  );
  ctx.status = 303;
  ctx.set('Cache-Control', 'no-store');
  ctx.set('Location', url.href);
  ctx.body = '';
};

/**
 * Goes on with a provider's answer.
 *
 * @throws UpstreamError
 */
export const finishUpstream = async (
  deps: InteractionDeps,
  ctx: Context & { params: Record<string, string> },
  dialogue: Dialogue,
): Promise<void> => {
  const signIn = await deps.roundTrips.complete({
    traveller: { purpose: 'interaction', uid: dialogue.interaction.uid },
    connectors: deps.connectors,
    connectorId: ctx.params['connector'] ?? '',
    url: ctx.URL,
  });
  // How the provider has made sure is its own matter: it goes into no `amr` of ours.
  await completeSignIn(deps, ctx, { dialogue, signIn, amr: [] });
};
