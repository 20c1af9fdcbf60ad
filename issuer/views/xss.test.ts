import { globSync, readFileSync } from 'node:fs';
import { parse } from 'node-html-parser';
import { describe, expect, it } from 'vitest';
import { skeletonOf } from '../../test/support/corpora/skeleton.ts';
import { XSS_STRINGS } from '../../test/support/corpora/xss.ts';
import type { Connector, PasswordConnector } from '../connectors/connector.ts';
import { linkPasswordPage, linkProviderPage, methodsPage, takenPage } from './account-methods.ts';
import { sessionsPage } from './account-sessions.ts';
import {
  closedPage,
  confirmPage,
  notAdmittedPage,
  notMemberPage,
  suspendedPage,
} from './confirm.ts';
import { deviceCheckPage, deviceCodePage, deviceDonePage } from './device.ts';
import { errorPage } from './error.ts';
import type { Messages } from './messages/en.ts';
import { CATALOGS } from './messages/messages.ts';
import type { Page } from './page.ts';
import { signInPage } from './sign-in.ts';
import { signedOutPage, signOutPage } from './sign-out.ts';

const path = '/interaction/uid';
const form = { action: '/device', xsrf: 'secret' };
const unreachable = () => Promise.reject(new Error('pages ask nobody'));

const connectorsOf = (name: string): readonly Connector[] => [
  { kind: 'password', id: 'local', name, signIn: unreachable },
  {
    ...{ kind: 'redirect', id: 'google', type: 'google', name, begin: unreachable },
    ...{ complete: unreachable, refresh: unreachable },
  },
];

const confirmViewOf = (text: string) => ({
  path,
  person: { name: text, email: text },
  destination: {
    clientName: text,
    clientId: text,
    redirectUri: text,
    workspace: { name: text, organization: text },
  },
});

const withoutWorkspace = (text: string) => {
  const view = confirmViewOf(text);
  return { ...view, destination: { ...view.destination, workspace: undefined } };
};

const deviceViewOf = (text: string) => ({ form, userCode: text, clientName: text, ip: text });

const ownGrantOf = (text: string, userAgent: string) => ({
  ...{ id: 'id', startedAt: 1, lastUsedAt: 2, destination: confirmViewOf(text).destination },
  origin: { userAgent, ip: text, at: 1, device: true },
});

/** Every page, with a text wherever one comes from outside. */
const PAGES: Readonly<Record<string, (text: string, messages: Messages) => Page>> = {
  confirmPage: (text, messages) => confirmPage(messages, confirmViewOf(text)),
  'confirmPage, no workspace': (text, messages) => confirmPage(messages, withoutWorkspace(text)),
  notMemberPage: (text, messages) => notMemberPage(messages, confirmViewOf(text)),
  closedPage: (text, messages) => closedPage(messages, confirmViewOf(text), 'suspended'),
  'closedPage, deleting': (text, messages) => closedPage(messages, confirmViewOf(text), 'deleting'),
  suspendedPage: (_text, messages) => suspendedPage(messages, path),
  notAdmittedPage: (_text, messages) => notAdmittedPage(messages, path, 'not_invited'),
  deviceCodePage: (text, messages) => deviceCodePage(messages, { form, userCode: text }),
  'deviceCodePage, problem': (text, messages) =>
    deviceCodePage(messages, { form, userCode: text, problem: 'other' }),
  deviceCheckPage: (text, messages) =>
    deviceCheckPage(messages, {
      ...deviceViewOf(text),
      workspace: { name: text, organization: text },
    }),
  'deviceCheckPage, no workspace': (text, messages) =>
    deviceCheckPage(messages, { ...deviceViewOf(text), workspace: undefined }),
  deviceDonePage: (_text, messages) => deviceDonePage(messages),
  errorPage: (text, messages) =>
    errorPage(messages, { status: 400, code: text, description: text, requestId: text }),
  signInPage: (text, messages) =>
    signInPage(messages, {
      ...{ path, connectors: connectorsOf(text), destination: text, loginHint: text },
      failed: { connectorId: 'local', username: text },
    }),
  'signInPage, one connector': (text, messages) =>
    signInPage(messages, {
      ...{ path, connectors: connectorsOf(text).slice(0, 1), destination: text, loginHint: text },
    }),
  sessionsPage: (text, messages) =>
    sessionsPage(messages, {
      personName: text,
      sessions: [{ ...ownGrantOf(text, text), isThisBrowser: true }],
      grants: [
        ownGrantOf(text, 'curl/8'),
        { ...ownGrantOf(text, 'curl/8'), destination: withoutWorkspace(text).destination },
      ],
    }),
  methodsPage: (text, messages) =>
    methodsPage(messages, {
      personName: text,
      methods: [
        { connector: text, subject: text, connectorName: text, removable: true },
        { connector: text, subject: text, connectorName: undefined, removable: false },
      ],
      connectors: connectorsOf(text),
    }),
  linkProviderPage: (text, messages) =>
    linkProviderPage(messages, {
      connector: connectorsOf(text)[1] as Connector,
      url: new URL('https://provider.example/authorize'),
    }),
  linkPasswordPage: (text, messages) =>
    linkPasswordPage(messages, {
      connector: connectorsOf(text)[0] as PasswordConnector,
      failed: { username: text },
    }),
  takenPage: (text, messages) => takenPage(messages, text),
  signOutPage: (_text, messages) => signOutPage(messages, { action: '/end', xsrf: 'secret' }),
  signedOutPage: (_text, messages) => signedOutPage(messages),
};

const WITHOUT_TEXT = [
  'suspendedPage',
  'notAdmittedPage',
  'deviceDonePage',
  'signOutPage',
  'signedOutPage',
];

describe('the corpus', () => {
  it('has more than 60 strings', () => {
    expect(new Set(XSS_STRINGS).size).toBeGreaterThan(60);
  });

  it('goes through every page that there is', () => {
    const sources = globSync('*.ts', { cwd: import.meta.dirname }).map((file) =>
      readFileSync(`${import.meta.dirname}/${file}`, 'utf8'),
    );
    const pages = sources.flatMap((source) =>
      [...source.matchAll(/^export const (?!send)(\w+Page)\b/gm)].map(([, name]) => name),
    );
    expect(Object.keys(PAGES)).toEqual(expect.arrayContaining(pages));
  });
});

describe.each(CATALOGS.map((messages) => [messages.locale, messages] as const))(
  'in %s',
  (_locale, messages) => {
    it.each(Object.entries(PAGES))('%s has the same markup with any text', (name, render) => {
      const markup = (text: string) => {
        const { title, body } = render(text, messages);
        return { title, html: body.html };
      };
      const expected = skeletonOf(markup('harmless').html);
      for (const text of XSS_STRINGS) {
        const { title, html } = markup(text);
        expect(skeletonOf(html).map((line) => line.replaceAll(text, 'harmless'))).toEqual(expected);
        const shown = [title, ...valuesOf(html)].join('\n');
        if (!WITHOUT_TEXT.includes(name)) expect(shown).toContain(text);
      }
    });
  },
);

const valuesOf = (html: string): readonly string[] => {
  const document = parse(html);
  const values = document.querySelectorAll('input').map((each) => each.getAttribute('value') ?? '');
  return [document.textContent, ...values];
};
