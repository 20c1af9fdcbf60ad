/** Every page of the issuer, with made-up content, and a server that shows them as the issuer does. */
import Koa from 'koa';
import { listen } from '#runtime/http-server.ts';
import type { Connector } from '../../issuer/connectors/connector.ts';
import { setSecurityHeaders } from '../../issuer/http/headers.ts';
import { loadBrand, rememberBrand, serveAssets } from '../../issuer/views/branding/brand.ts';
import { BrandingConfig } from '../../issuer/views/branding/config.ts';
import {
  closedPage,
  confirmPage,
  notAdmittedPage,
  notMemberPage,
  suspendedPage,
} from '../../issuer/views/confirm.ts';
import { deviceCheckPage, deviceCodePage, deviceDonePage } from '../../issuer/views/device.ts';
import { errorPage } from '../../issuer/views/error.ts';
import type { Messages } from '../../issuer/views/messages/en.ts';
import { messagesFor } from '../../issuer/views/messages/messages.ts';
import { type Page, sendPage } from '../../issuer/views/page.ts';
import { signInPage } from '../../issuer/views/sign-in.ts';
import { signedOutPage, signOutPage } from '../../issuer/views/sign-out.ts';
import { accountPages, methodPages } from './account-gallery.ts';

/** The names that pages show. They come from people, so they may be anything. */
export type ShownNames = {
  readonly person: string;
  readonly email: string;
  readonly workspace: string;
  readonly organization: string;
  readonly connector: string;
  readonly client: string;
};

const NAMES: ShownNames = {
  person: 'Alice Example',
  email: 'alice@example.test',
  workspace: 'Payments production',
  organization: 'Acme Corporation',
  connector: 'Acme directory',
  client: 'Hexabase command line',
};

const PATH = '/interaction/ZkZ1cGZqcG9vaw';
const FORM = { action: '/device', xsrf: 'b1f0c2' };
const REQUEST_ID = '0f9a1c52-6e0b-4b7e-9c55-2f8f6f1f0c3d';

/** Makes a page in a language. */
export type MakePage = (messages: Messages) => Page;

/** All pages, by a name for files. */
export const createGallery = (names: ShownNames = NAMES): Readonly<Record<string, MakePage>> => ({
  ...signInPages(names),
  ...decisionPages(names),
  ...devicePages(names),
  ...accountPages(names),
  ...methodPages(names),
  ...otherPages(),
});

const signInPages = ({ connector, workspace, person }: ShownNames): Record<string, MakePage> => {
  const local = passwordConnector('local', connector);
  const view = { path: PATH, destination: workspace };
  const failed = { connectorId: 'local', username: person };
  const several = [
    redirectConnector('google', 'Google'),
    redirectConnector('github', 'GitHub'),
    redirectConnector('oidc', connector),
    local,
  ];
  return {
    'sign-in': (messages) => signInPage(messages, { ...view, connectors: [local] }),
    'sign-in-failed': (messages) => signInPage(messages, { ...view, connectors: [local], failed }),
    choose: (messages) => signInPage(messages, { ...view, connectors: several }),
    'choose-failed': (messages) => signInPage(messages, { ...view, connectors: several, failed }),
  };
};

const decisionPages = (names: ShownNames): Record<string, MakePage> => {
  const { person: name, email, organization, client } = names;
  const workspace = { name: names.workspace, organization };
  const person = { name, email };
  const kubectl = {
    clientName: names.workspace,
    clientId: 'ws-01k3v7c4h8e2f9r5t6y7z8a9bc',
    workspace,
  };
  const cli = { clientName: client, clientId: 'hexabase-cli' };
  const view = { path: PATH, person, destination: kubectl };
  const local = { ...view, destination: { ...kubectl, redirectUri: 'http://localhost:8000' } };
  return {
    confirm: (messages) => confirmPage(messages, local),
    'confirm-device': (messages) => confirmPage(messages, view),
    'confirm-cli': (messages) =>
      confirmPage(messages, {
        ...view,
        person: { name, email: null },
        destination: { ...cli, redirectUri: 'http://127.0.0.1:41234/' },
      }),
    'not-a-member': (messages) => notMemberPage(messages, local),
    'closed-suspended': (messages) => closedPage(messages, local, 'suspended'),
    'closed-deleting': (messages) => closedPage(messages, local, 'deleting'),
    'not-admitted': (messages) => notAdmittedPage(messages, PATH, 'not_invited'),
    'account-suspended': (messages) => suspendedPage(messages, PATH),
  };
};

const devicePages = ({
  workspace: name,
  organization,
  client,
}: ShownNames): Record<string, MakePage> => {
  const check = { form: FORM, userCode: 'WDJB-MJHT', clientName: client, ip: '203.0.113.7' };
  return {
    'device-entry': (messages) => deviceCodePage(messages, { form: FORM }),
    'device-problem': (messages) =>
      deviceCodePage(messages, { form: FORM, userCode: 'WDJB-MJHX', problem: 'NotFoundError' }),
    'device-check': (messages) =>
      deviceCheckPage(messages, { ...check, workspace: { name, organization } }),
    'device-check-cli': (messages) => deviceCheckPage(messages, { ...check, workspace: undefined }),
    'device-done': (messages) => deviceDonePage(messages),
  };
};

const otherPages = (): Record<string, MakePage> => ({
  'sign-out': (messages) =>
    signOutPage(messages, { action: '/session/end/confirm', xsrf: 'b1f0c2' }),
  'signed-out': (messages) => signedOutPage(messages),
  error: (messages) =>
    errorPage(messages, {
      status: 400,
      code: 'invalid_redirect_uri',
      description: 'redirect_uri did not match any of the client’s registered redirect_uris',
      requestId: REQUEST_ID,
    }),
  'error-upstream': (messages) =>
    errorPage(messages, {
      status: 502,
      code: 'upstream_unavailable',
      requestId: REQUEST_ID,
      retryPath: PATH,
    }),
  'error-too-many': (messages) =>
    errorPage(messages, {
      status: 429,
      code: 'too_many_requests',
      requestId: REQUEST_ID,
      retryAfter: 240,
    }),
});

const passwordConnector = (id: string, name: string): Connector => ({
  kind: 'password',
  id,
  name,
  signIn: () => Promise.resolve(undefined),
});

const unused = (): never => {
  throw new Error('the gallery signs nobody in');
};

const redirectConnector = (type: 'google' | 'github' | 'oidc', name: string): Connector => ({
  kind: 'redirect',
  id: type,
  name,
  type,
  begin: unused,
  complete: unused,
  refresh: unused,
});

/** A server of the gallery; a page is at `/{name}`. */
export type GalleryServer = AsyncDisposable & {
  readonly url: string;
  readonly pages: readonly string[];
};

/** Shows the pages with the issuer's own frame, headers and files. */
export const startGallery = async (branding: unknown = {}): Promise<GalleryServer> => {
  const gallery = createGallery();
  const { brand, assets } = await loadBrand(BrandingConfig.parse(branding));
  const app = new Koa();
  app.use(setSecurityHeaders('https://localhost'));
  app.use(rememberBrand(brand));
  app.use(serveAssets(assets));
  app.use((ctx) => {
    const make = gallery[ctx.path.slice(1)];
    if (make) sendPage(ctx, make(messagesFor(ctx)));
  });
  const server = await listen(app.callback(), { host: '127.0.0.1', port: 0 });
  return {
    url: `http://127.0.0.1:${server.port}`,
    pages: Object.keys(gallery),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
};
