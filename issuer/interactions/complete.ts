/** The end of every sign-in, whatever the connector. */
import type { Context } from 'koa';
import { formatId } from '#domain/identifiers.ts';
import type { UpstreamSignIn } from '../connectors/connector.ts';
import { contextOf } from '../http/request.ts';
import { signInTime } from '../people/account.ts';
import { comeIn } from '../people/come-in.ts';
import { endSession } from '../protocol/sessions.ts';
import { notAdmittedPage, suspendedPage } from '../views/confirm.ts';
import { type Dialogue, finish, type InteractionDeps } from './interaction.ts';

/** Someone who has proven who they are. */
export type CompletedSignIn = {
  readonly dialogue: Dialogue;
  readonly signIn: UpstreamSignIn;
  /** How, by RFC 8176; empty when a provider has asked them. */
  readonly amr: readonly string[];
};

/**
 * Lets the person in by the connector's rules, gives the browser its session and goes on with the authorization
 * request.
 */
export const completeSignIn = async (
  deps: InteractionDeps,
  ctx: Context,
  { dialogue, signIn, amr }: CompletedSignIn,
): Promise<void> => {
  const { connector, subject } = signIn.identity;
  const context = contextOf(ctx);
  const admitted = await comeIn(deps, signIn, context);
  if (admitted.refusal) {
    const { refusal } = admitted;
    deps.log.warn({ request_id: context.requestId, connector, subject, refusal }, 'not admitted');
    dialogue.send(notAdmittedPage(dialogue.messages, dialogue.path, refusal));
    return;
  }
  const { personId, suspended } = admitted;
  if (suspended) {
    dialogue.send(suspendedPage(dialogue.messages, dialogue.path));
    return;
  }
  const accountId = formatId('person', personId);
  await leaveOtherSession(deps, ctx, dialogue, accountId);
  await finish(deps.provider, ctx, {
    // A confirmation that comes later is none of the sign-in: the session's life counts from here.
    login: {
      accountId,
      ts: await signInTime(deps.database, personId),
      ...(amr.length > 0 && { amr: [...amr] }),
    },
    ...(dialogue.prompts.has('select_account') && { select_account: {} }),
  });
};

/** Ends the browser's session of another person, so that the new one starts clean. */
const leaveOtherSession = async (
  { provider }: InteractionDeps,
  ctx: Context,
  { interaction }: Dialogue,
  accountId: string,
): Promise<void> => {
  if (!interaction.session || interaction.session.accountId === accountId) return;
  const session = await provider.Session.get(provider.createContext(ctx.req, ctx.res));
  await endSession(provider, session);
  delete interaction.session;
  await interaction.persist();
};
