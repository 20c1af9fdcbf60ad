/**
 * The pages in the middle of an authorization request: sign in, then confirm. Each interaction belongs to
 * the browser that holds its cookie; what the person decides goes back to oidc-provider.
 */
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { parseId } from '#domain/identifiers.ts';
import { findActivePerson } from '../people/account.ts';
import { describeClosure } from '../people/workspace-closure.ts';
import { closedPage, confirmPage, notMemberPage, suspendedPage } from '../views/confirm.ts';
import { findClientClosure, mayUseClient } from './destination.ts';
import { type Dialogue, finish, type InteractionDeps, loadDialogue } from './interaction.ts';
import {
  offerSignIn,
  SIGN_IN_PROMPTS,
  showSignIn,
  startAtProvider,
  submitSignIn,
} from './sign-in.ts';
import { finishUpstream } from './upstream.ts';

/** The routes below `/interaction/`. */
export const interactionRoutes = (deps: InteractionDeps): Middleware => {
  const router = new Router({ prefix: '/interaction/:uid', sensitive: true, strict: false });
  const dialogueOf = (ctx: Context & { params: Record<string, string> }) =>
    loadDialogue(deps, ctx, ctx.params['uid'] ?? '');

  router.get('/', async (ctx) => {
    const dialogue = await dialogueOf(ctx);
    if (SIGN_IN_PROMPTS.has(dialogue.interaction.prompt.name))
      await offerSignIn(deps, ctx, dialogue);
    else
      await decide(deps, dialogue, (view) => dialogue.send(confirmPage(dialogue.messages, view)));
  });
  router.get('/switch', async (ctx) => {
    showSignIn(deps, await dialogueOf(ctx), { switching: true });
  });
  router.get('/sign-in/:connector', async (ctx) => {
    await startAtProvider(deps, ctx, await dialogueOf(ctx));
  });
  router.get('/callback/:connector', async (ctx) => {
    await finishUpstream(deps, ctx, await dialogueOf(ctx));
  });
  router.post('/sign-in/:connector', async (ctx) => {
    await submitSignIn(deps, ctx, await dialogueOf(ctx));
  });
  router.post('/confirm', async (ctx) => {
    const dialogue = await dialogueOf(ctx);
    await decide(deps, dialogue, () => finish(deps.provider, ctx, { consent: {} }));
  });
  router.post('/cancel', async (ctx) => {
    const error_description = await explainCancel(deps, await dialogueOf(ctx));
    await finish(deps.provider, ctx, { error: 'access_denied', error_description });
  });
  return router.routes() as unknown as Middleware;
};

/** What the waiting client is told: a refusal that the person has read is one for the client too. */
const explainCancel = async (
  { database }: InteractionDeps,
  { interaction, destination }: Dialogue,
): Promise<string> => {
  const personId = parseId('person', interaction.session?.accountId ?? '');
  if (personId === undefined) return 'the sign-in was cancelled';
  if (!(await mayUseClient(database, personId, destination.clientId))) {
    return 'you are not a member of this workspace';
  }
  const closure = await findClientClosure(database, destination.clientId);
  return closure ? describeClosure(closure) : 'the sign-in was cancelled';
};

type View = Parameters<typeof confirmPage>[1];

/** Goes on with a member, and shows everyone else why not. */
const decide = async (
  { database }: InteractionDeps,
  { interaction, destination, path, messages, send }: Dialogue,
  goOn: (view: View) => void | Promise<void>,
): Promise<void> => {
  const personId = parseId('person', interaction.session?.accountId ?? '');
  const person = personId === undefined ? null : await findActivePerson(database, personId);
  if (personId === undefined || !person) {
    send(suspendedPage(messages, path));
    return;
  }
  const view = {
    path,
    person: { name: person.display_name, email: person.email },
    destination,
  };
  if (!(await mayUseClient(database, personId, destination.clientId))) {
    send(notMemberPage(messages, view));
    return;
  }
  const closure = await findClientClosure(database, destination.clientId);
  if (closure) send(closedPage(messages, view, closure));
  else await goOn(view);
};
