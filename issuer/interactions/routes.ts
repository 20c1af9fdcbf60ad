/**
 * The pages in the middle of an authorization request: sign in, then confirm. Each interaction belongs to
 * the browser that holds its cookie; what the person decides goes back to oidc-provider.
 */
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { formatId, parseId } from '#domain/identifiers.ts';
import { toNetwork } from '../http/client-address.ts';
import { requestIdOf } from '../http/request.ts';
import { attemptPassword } from '../limits/password.ts';
import { findActivePerson } from '../people/account.ts';
import { signUp } from '../people/sign-up.ts';
import { describeClosure } from '../people/workspace-closure.ts';
import { closedPage, confirmPage, notMemberPage, suspendedPage } from '../views/confirm.ts';
import { signInPage } from '../views/sign-in.ts';
import { findClientClosure, mayUseClient } from './destination.ts';
import { readForm } from './form.ts';
import { type Dialogue, finish, type InteractionDeps, loadDialogue } from './interaction.ts';

/** The routes below `/interaction/`. */
export const interactionRoutes = (deps: InteractionDeps): Middleware => {
  const router = new Router({ prefix: '/interaction/:uid', sensitive: true, strict: false });
  const dialogueOf = (ctx: Context & { params: Record<string, string> }) =>
    loadDialogue(deps, ctx, ctx.params['uid'] ?? '');

  router.get('/', async (ctx) => {
    const dialogue = await dialogueOf(ctx);
    if (dialogue.interaction.prompt.name === 'login') showSignIn(deps, dialogue);
    else
      await decide(deps, dialogue, (view) => dialogue.send(confirmPage(dialogue.messages, view)));
  });
  router.get('/switch', async (ctx) => {
    showSignIn(deps, await dialogueOf(ctx));
  });
  router.post('/sign-in/:connector', async (ctx) => {
    await signIn(deps, ctx, await dialogueOf(ctx));
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

const showSignIn = (
  { connectors }: InteractionDeps,
  { path, destination, messages, send }: Dialogue,
  failed?: { readonly connectorId: string; readonly username: string },
): void =>
  send(
    signInPage(messages, {
      path,
      connectors,
      failed,
      destination: destination.workspace?.name ?? destination.clientName,
    }),
  );

const signIn = async (
  deps: InteractionDeps,
  ctx: Context & { params: Record<string, string> },
  dialogue: Dialogue,
): Promise<void> => {
  const { connectors, database, provider } = deps;
  const connector = connectors.find(({ id }) => id === ctx.params['connector']);
  if (connector?.kind !== 'password') return;
  const form = await readForm(ctx);
  const username = form.get('username') ?? '';
  const attempt = { connector: connector.id, username, network: toNetwork(ctx.ip) };
  const identity = await attemptPassword(deps.limits, attempt, () =>
    connector.signIn(username, form.get('password') ?? ''),
  );
  if (!identity) {
    showSignIn(deps, dialogue, { connectorId: connector.id, username });
    return;
  }
  const { personId, suspended } = await signUp(database, identity, {
    requestId: requestIdOf(ctx),
    ip: ctx.ip,
  });
  if (suspended) {
    dialogue.send(suspendedPage(dialogue.messages, dialogue.path));
    return;
  }
  const accountId = formatId('person', personId);
  await leaveOtherSession(deps, ctx, dialogue, accountId);
  await finish(provider, ctx, { login: { accountId, amr: ['pwd'] } });
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
  await session.destroy();
  delete interaction.session;
  await interaction.persist();
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
